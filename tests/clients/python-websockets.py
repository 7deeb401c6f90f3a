"""The package websockets: python-websockets.py ws://HOST:PORT"""
import asyncio
import json

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from checks import BINARY, MEBIBYTE, MEBIBYTE_TEXT, TEXT, TOO_MUCH, base, check, finish


async def echo():
    async with connect(f"{base}/echo", max_size=None) as socket:
        check("deflate is agreed on", [each.name for each in socket.protocol.extensions] == ["permessage-deflate"], socket.protocol.extensions)
        for name, message in ("text", TEXT), ("binary", BINARY), ("1 MiB of text", MEBIBYTE_TEXT), ("1 MiB", MEBIBYTE):
            await socket.send(message)
            check(f"echo of {name}", await socket.recv() == message)
        check("a ping is answered", await asyncio.wait_for(await socket.ping(b"here?"), 10) >= 0)
        await socket.close(1000, "done")
        check("1000 comes back", (socket.close_code, socket.protocol.close_rcvd.code) == (1000, 1000), socket.close_code)
    async with connect(f"{base}/echo", compression=None, max_size=None) as socket:
        await socket.send(MEBIBYTE)
        check("echo of 1 MiB without deflate", await socket.recv() == MEBIBYTE)


async def chat():
    async with connect(f"{base}/chat?username=ann&room=python-websockets", subprotocols=["switchboard.chat.v1"]) as socket:
        welcome = json.loads(await socket.recv())
        await socket.send(json.dumps({"id": "1", "message": "hi"}))
        while (frame := json.loads(await socket.recv()))["type"] != "message":
            pass
        check("the chat", (socket.subprotocol, welcome["type"], frame["message"]) == ("switchboard.chat.v1", "welcome", "hi"), frame)


async def closed_by_server(name, path, message, code):
    async with connect(f"{base}{path}", compression=None) as socket:
        try:
            await socket.send(message)
            await socket.recv()
            await socket.recv()
        except ConnectionClosed as closed:
            check(f"{name}: {code}", closed.rcvd is not None and closed.rcvd.code == code, closed)
        else:
            check(f"{name}: {code}", False, "it was taken")


async def refused():
    try:
        await connect(f"{base}/chat")
    except InvalidStatus as error:
        check("no name: 403", error.response.status_code == 403, error)
    else:
        check("no name: 403", False)


async def main():
    await echo()
    await chat()
    await closed_by_server("binary in the chat", "/chat?username=ann", b"\0", 1003)
    await closed_by_server("too much", "/echo", TOO_MUCH, 1009)
    await refused()


asyncio.run(main())
finish()
