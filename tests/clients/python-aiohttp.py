"""The package aiohttp: python-aiohttp.py ws://HOST:PORT"""
import asyncio
import json

from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError

from checks import BINARY, MEBIBYTE, MEBIBYTE_TEXT, TEXT, TOO_MUCH, base, check, finish


async def echo(session, deflate):
    name = "with deflate" if deflate else "without deflate"
    async with session.ws_connect(f"{base}/echo", compress=deflate, max_msg_size=0, autoping=False) as socket:
        check(f"{name}, as asked for", bool(socket.compress) == bool(deflate), socket.compress)
        for kind, message in ("text", TEXT), ("1 MiB of text", MEBIBYTE_TEXT):
            await socket.send_str(message)
            check(f"echo of {kind} {name}", await socket.receive_str() == message)
        for kind, message in ("binary", BINARY), ("1 MiB", MEBIBYTE):
            await socket.send_bytes(message)
            check(f"echo of {kind} {name}", await socket.receive_bytes() == message)
        await socket.ping(b"here?")
        pong = await socket.receive(10)
        check("a ping is answered", (pong.type, bytes(pong.data)) == (WSMsgType.PONG, b"here?"), pong)
        await socket.close(code=1000, message=b"done")
        check("1000 comes back", socket.close_code == 1000, socket.close_code)


async def chat(session):
    async with session.ws_connect(f"{base}/chat?username=ann&room=python-aiohttp", protocols=["switchboard.chat.v1"]) as socket:
        welcome = await socket.receive_json()
        await socket.send_str(json.dumps({"id": "1", "message": "hi"}))
        while (frame := await socket.receive_json())["type"] != "message":
            pass
        check("the chat", (socket.protocol, welcome["type"], frame["message"]) == ("switchboard.chat.v1", "welcome", "hi"), frame)


async def closed_by_server(session, name, path, message, code):
    async with session.ws_connect(f"{base}{path}") as socket:
        try:
            await socket.send_bytes(message)
        except ConnectionError:
            pass  # the code may be there all the same
        while (last := await socket.receive(10)).type is WSMsgType.TEXT:
            pass
        check(f"{name}: {code}", (last.type, last.data) == (WSMsgType.CLOSE, code), last)


async def http(session):
    url = "http" + base.removeprefix("ws")
    async with session.get(f"{url}/hello") as response:
        check("GET", (response.status, await response.json()) == (200, {"message": "Hello libwebsockets"}))
    async with session.post(f"{url}/api/rooms/python-aiohttp/messages", json={"sender": "bot", "message": "hi"}) as response:
        check("POST", response.status == 201, response)
    try:
        await session.ws_connect(f"{base}/chat")
    except WSServerHandshakeError as error:
        check("no name: 403", error.status == 403, error)
    else:
        check("no name: 403", False)


async def main():
    async with ClientSession() as session:
        await echo(session, 15)
        await echo(session, 0)
        await chat(session)
        await closed_by_server(session, "binary in the chat", "/chat?username=ann", b"\0", 1003)
        await closed_by_server(session, "too much", "/echo", TOO_MUCH, 1009)
        await http(session)


asyncio.run(main())
finish()
