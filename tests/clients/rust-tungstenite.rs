//! The crate tungstenite, which has no deflate: rust-tungstenite ws://HOST:PORT
use std::net::TcpStream;
use std::process::exit;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::CloseFrame;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{connect, Error, Message, WebSocket};

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

struct Checks {
    base: String,
    count: u32,
    failed: bool,
}

impl Checks {
    fn check(&mut self, name: &str, ok: bool, seen: &str) {
        self.count += 1;
        println!("{} {} - {name}", if ok { "ok" } else { "not ok" }, self.count);
        if !ok {
            self.failed = true;
            println!("# {seen:.300}");
        }
    }

    fn dial(&self, path: &str, protocol: Option<&str>) -> Socket {
        let mut request = format!("{}{path}", self.base).into_client_request().unwrap();
        if let Some(name) = protocol {
            request.headers_mut().insert("Sec-WebSocket-Protocol", name.parse().unwrap());
        }
        let (socket, _) = connect(request).expect("a connection");
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        }
        socket
    }

    fn echo(&mut self) {
        let mut socket = self.dial("/echo", None);
        let bytes: Vec<u8> = (0..1 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for (name, message) in [
            ("text", Message::text("Grüße, 世界 😀 ".repeat(40))),
            ("binary", Message::binary(bytes[..4096].to_vec())),
            ("1 MiB of text", Message::text("0123456789abcdef".repeat(65536))),
            ("1 MiB", Message::binary(bytes.clone())),
        ] {
            socket.send(message.clone()).unwrap();
            let back = socket.read();
            let same = matches!(&back, Ok(data) if *data == message);
            self.check(&format!("echo of {name}"), same, &format!("{:?}", back.err()));
        }
        socket.send(Message::Ping("here?".into())).unwrap();
        let pong = socket.read();
        self.check("a ping is answered", matches!(&pong, Ok(Message::Pong(data)) if &data[..] == b"here?"), &format!("{pong:?}"));
        socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "done".into() })).unwrap();
        let close = socket.read();
        let normal = matches!(&close, Ok(Message::Close(Some(frame))) if frame.code == CloseCode::Normal);
        self.check("1000 comes back", normal, &format!("{close:?}"));
        let end = socket.read();
        self.check("then the connection ends", matches!(end, Err(Error::ConnectionClosed)), &format!("{end:?}"));
    }

    fn chat(&mut self) {
        let mut socket = self.dial("/chat?username=ann&room=rust-tungstenite", Some("switchboard.chat.v1"));
        socket.send(Message::text(r#"{"id":"1","message":"hi"}"#)).unwrap();
        loop {
            let frame = socket.read().expect("a frame").into_text().expect("text");
            if frame.contains(r#""type":"message""#) {
                return self.check("the chat", frame.contains(r#""message":"hi""#), &frame);
            }
        }
    }

    fn closed_by_server(&mut self, name: &str, path: &str, data: Vec<u8>, code: CloseCode) {
        let mut socket = self.dial(path, None);
        let _ = socket.send(Message::binary(data)); // may break off: the code counts
        loop {
            match socket.read() {
                Ok(Message::Close(Some(frame))) => return self.check(name, frame.code == code, &format!("{frame:?}")),
                Ok(_) => (),
                Err(error) => return self.check(name, false, &error.to_string()),
            }
        }
    }

    fn refused(&mut self) {
        let error = connect(format!("{}/chat", self.base)).err();
        let forbidden = matches!(&error, Some(Error::Http(response)) if response.status() == 403);
        self.check("no name: 403", forbidden, &format!("{error:?}"));
    }
}

fn main() {
    let base = std::env::args().nth(1).expect("ws://HOST:PORT");
    let mut checks = Checks { base, count: 0, failed: false };
    checks.echo();
    checks.chat();
    checks.closed_by_server("binary in the chat: 1003", "/chat?username=ann", vec![0], CloseCode::Unsupported);
    checks.closed_by_server("too much: 1009", "/echo", vec![0; (2 << 20) + 1], CloseCode::Size);
    checks.refused();
    println!("1..{}", checks.count);
    exit(i32::from(checks.failed));
}
