// The module gorilla/websocket: go-gorilla ws://HOST:PORT
package main

import (
	"bytes"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

func dial(path string, deflate bool, protocols ...string) *websocket.Conn {
	dialer := websocket.Dialer{EnableCompression: deflate, Subprotocols: protocols, HandshakeTimeout: 10 * time.Second}
	socket, response, err := dialer.Dial(base+path, nil)
	must(err)
	offered := strings.HasPrefix(response.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
	check(path+": deflate as asked for", offered == deflate, response.Header)
	socket.SetReadDeadline(time.Now().Add(30 * time.Second))
	return socket
}

func echo(deflate bool) {
	socket := dial("/echo", deflate)
	for _, each := range samples() {
		kind := websocket.TextMessage
		if each.binary {
			kind = websocket.BinaryMessage
		}
		must(socket.WriteMessage(kind, each.data))
		back, data, err := socket.ReadMessage()
		check("echo of "+each.name, err == nil && back == kind && bytes.Equal(data, each.data), err)
	}
	pong := ""
	socket.SetPongHandler(func(payload string) error { pong = payload; return nil })
	must(socket.WriteControl(websocket.PingMessage, []byte("here?"), time.Now().Add(time.Second)))
	must(socket.WriteMessage(websocket.TextMessage, []byte("after it")))
	_, _, err := socket.ReadMessage()
	check("a ping is answered", err == nil && pong == "here?", pong, err)
	must(socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "done"), time.Now().Add(time.Second)))
	_, _, err = socket.ReadMessage()
	check("1000 comes back", websocket.IsCloseError(err, 1000), err)
	socket.Close()
}

func chat() {
	socket := dial("/chat?username=ann&room=go-gorilla", true, "switchboard.chat.v1")
	defer socket.Close()
	must(socket.WriteJSON(map[string]string{"id": "1", "message": "hi"}))
	for {
		_, frame, err := socket.ReadMessage()
		must(err)
		if isMessage, text := heard(frame); isMessage {
			check("the chat", socket.Subprotocol() == "switchboard.chat.v1" && text == "hi", text)
			return
		}
	}
}

func closedByServer(name, path string, data []byte, code int) {
	socket := dial(path, false)
	defer socket.Close()
	socket.WriteMessage(websocket.BinaryMessage, data) // may break off: the code counts
	for {
		if _, _, err := socket.ReadMessage(); err != nil {
			check(name, websocket.IsCloseError(err, code), err)
			return
		}
	}
}

func main() {
	echo(true)
	echo(false)
	chat()
	closedByServer("binary in the chat: 1003", "/chat?username=ann", []byte{0}, 1003)
	closedByServer("too much: 1009", "/echo", tooMuch, 1009)
	_, response, err := websocket.DefaultDialer.Dial(base+"/chat", nil)
	check("no name: 403", err == websocket.ErrBadHandshake && response.StatusCode == 403, err)
	finish()
}
