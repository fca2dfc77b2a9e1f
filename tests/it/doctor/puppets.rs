//! Servers that say what they are told to: a proxy in front of the service, and a mail server.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

/// What a path is answered with: status and body.
pub(super) type Answers = Vec<(&'static str, u16, String)>;

/// A server that stands until it is dropped.
pub(super) struct Puppet {
    port: u16,
    task: JoinHandle<()>,
}

impl Drop for Puppet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Puppet {
    pub(super) fn url(&self) -> Url {
        format!("http://127.0.0.1:{}/", self.port).parse().unwrap()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Answers HTTP; what has no answer is a 404.
    pub(super) async fn front(answers: Answers) -> Self {
        let answers = Arc::new(answers);
        Self::serve(move |stream| {
            let answers = Arc::clone(&answers);
            async move { drop(front(stream, &answers).await) }
        })
        .await
    }

    /// A mail server that offers these extensions, and answers a command that begins so with that line.
    pub(super) async fn mail(extensions: &'static [&'static str], answer: (&'static str, &'static str)) -> Self {
        Self::serve(move |stream| async move { drop(mail(stream, extensions, answer).await) }).await
    }

    async fn serve<F: Future<Output = ()> + Send + 'static>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(stream));
            }
        });
        Self { port, task }
    }
}

async fn front(stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let path = first.split(' ').nth(1).unwrap_or_default();
    let found = answers.iter().find(|(known, ..)| *known == path);
    let (status, body) = found.map_or((404, ""), |(_, status, body)| (*status, body.as_str()));
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await
}

async fn mail(stream: TcpStream, extensions: &[&str], (command, line): (&str, &str)) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 puppet\r\n").await?;
    loop {
        let mut asked = String::new();
        if stream.read_line(&mut asked).await? == 0 {
            return Ok(());
        }
        let answer = match asked.trim() {
            asked if asked.starts_with(command) => format!("{line}\r\n"),
            asked if asked.starts_with("EHLO") => {
                let offered: String = extensions.iter().map(|extension| format!("250-{extension}\r\n")).collect();
                format!("250-puppet\r\n{offered}250 8BITMIME\r\n")
            }
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "250 ok\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// An address at which nobody is; held so that nobody else takes it.
pub(super) struct Nobody(std::net::TcpListener);

impl Nobody {
    /// A port that is bound and, being on another loopback address, does not answer where it is asked for.
    pub(super) fn here() -> Self {
        Self(std::net::TcpListener::bind("127.0.0.2:0").unwrap())
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    pub(super) fn url(&self) -> Url {
        format!("http://127.0.0.1:{}/", self.port()).parse().unwrap()
    }
}
