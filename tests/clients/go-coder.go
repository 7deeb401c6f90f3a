// The module coder/websocket: go-coder ws://HOST:PORT
package main

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/coder/websocket"
)

var ctx, _ = context.WithTimeout(context.Background(), 50*time.Second)

func dial(path string, mode websocket.CompressionMode, protocols ...string) *websocket.Conn {
	socket, response, err := websocket.Dial(ctx, base+path, &websocket.DialOptions{CompressionMode: mode, Subprotocols: protocols})
	must(err)
	offered := strings.HasPrefix(response.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
	check(path+": deflate as asked for", offered == (mode != websocket.CompressionDisabled), response.Header)
	socket.SetReadLimit(-1)
	return socket
}

func echo(mode websocket.CompressionMode) {
	socket := dial("/echo", mode)
	for _, each := range samples() {
		kind := websocket.MessageText
		if each.binary {
			kind = websocket.MessageBinary
		}
		must(socket.Write(ctx, kind, each.data))
		back, data, err := socket.Read(ctx)
		check("echo of "+each.name, err == nil && back == kind && bytes.Equal(data, each.data), err)
	}
	check("1000 comes back", socket.Close(websocket.StatusNormalClosure, "done") == nil)
}

func ping() {
	socket := dial("/echo", websocket.CompressionDisabled)
	defer socket.CloseNow()
	reading := socket.CloseRead(ctx) // a pong is seen by who reads
	err := socket.Ping(reading)
	check("a ping is answered", err == nil, err)
}

func chat() {
	socket := dial("/chat?username=ann&room=go-coder", websocket.CompressionContextTakeover, "switchboard.chat.v1")
	defer socket.CloseNow()
	must(socket.Write(ctx, websocket.MessageText, []byte(`{"id":"1","message":"hi"}`)))
	for {
		_, frame, err := socket.Read(ctx)
		must(err)
		if isMessage, text := heard(frame); isMessage {
			check("the chat", socket.Subprotocol() == "switchboard.chat.v1" && text == "hi", text)
			return
		}
	}
}

func closedByServer(name, path string, data []byte, code websocket.StatusCode) {
	socket := dial(path, websocket.CompressionDisabled)
	defer socket.CloseNow()
	socket.Write(ctx, websocket.MessageBinary, data) // may break off: the code counts
	for {
		if _, _, err := socket.Read(ctx); err != nil {
			check(name, websocket.CloseStatus(err) == code, err)
			return
		}
	}
}

func main() {
	echo(websocket.CompressionContextTakeover)
	echo(websocket.CompressionNoContextTakeover)
	echo(websocket.CompressionDisabled)
	ping()
	chat()
	closedByServer("binary in the chat: 1003", "/chat?username=ann", []byte{0}, 1003)
	closedByServer("too much: 1009", "/echo", tooMuch, 1009)
	_, response, err := websocket.Dial(ctx, base+"/chat", nil)
	check("no name: 403", err != nil && response != nil && response.StatusCode == 403, err)
	finish()
}
