//! The mail server: `mailin` speaks the protocol, this moves the bytes.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailin::{Action, Handler, Response, Session, SessionBuilder, response};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{super::world::World, Envelope};

/// The largest mail, in bytes.
const MAIL_LIMIT: usize = 10 << 20;
/// The longest line, in bytes; RFC 5321 allows 1,000.
const LINE_LIMIT: u64 = 64 << 10;
/// More connections than this are closed at once.
const CONNECTIONS: usize = 100;
/// How long a silent client is kept, in real time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves until the returned task is aborted, which closes the open connections too.
pub(in super::super) fn serve(listener: TcpListener, acceptor: TlsAcceptor, world: World) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut open = JoinSet::new();
        loop {
            let Ok((stream, client)) = listener.accept().await else { continue };
            while open.try_join_next().is_some() {}
            if open.len() < CONNECTIONS {
                open.spawn(converse(stream, client, acceptor.clone(), world.clone()));
            }
        }
    })
}

/// What became of a mail whose end has arrived.
#[derive(Debug)]
enum Verdict {
    Taken,
    TooLarge,
}

#[derive(Default)]
struct Progress {
    envelope: Envelope,
    verdict: Option<Verdict>,
}

/// Collects one connection's mail. Both the protocol core and the loop below look at it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Progress>>);

impl Collector {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Collector {
    fn data_start(&mut self, _domain: &str, from: &str, _is8bit: bool, to: &[String]) -> Response {
        let mut progress = self.progress();
        let encrypted = progress.envelope.encrypted;
        progress.envelope = Envelope { sender: from.to_owned(), recipients: to.to_vec(), encrypted, raw: Vec::new() };
        response::OK
    }

    fn data(&mut self, buffer: &[u8]) -> std::io::Result<()> {
        let mut progress = self.progress();
        // One byte too many is kept, to tell a mail that is too large at its end.
        let room = (MAIL_LIMIT + 1).saturating_sub(progress.envelope.raw.len());
        progress.envelope.raw.extend(buffer.iter().take(room));
        Ok(())
    }

    /// Always content: after an error here the protocol core would still wait for data. The loop below answers.
    fn data_end(&mut self) -> Response {
        let mut progress = self.progress();
        let is_too_large = progress.envelope.raw.len() > MAIL_LIMIT;
        progress.verdict = Some(if is_too_large { Verdict::TooLarge } else { Verdict::Taken });
        response::OK
    }
}

async fn converse(stream: TcpStream, client: SocketAddr, acceptor: TlsAcceptor, world: World) {
    let collector = Collector::default();
    let mut builder = SessionBuilder::new("simulator.localhost");
    builder.enable_start_tls();
    let mut session = builder.build(client.ip(), collector.clone());
    let greeting = session.greeting();
    let mut plain = BufReader::new(stream);
    if send(&mut plain, &greeting).await.is_err() {
        return;
    }
    if !matches!(talk(&mut plain, &mut session, &collector, &world).await, Ok(Ending::UpgradeTls)) {
        return;
    }
    // What was sent behind STARTTLS in clear is thrown away with the buffer (RFC 3207, section 6).
    let Ok(stream) = acceptor.accept(plain.into_inner()).await else { return };
    session.tls_active();
    collector.progress().envelope.encrypted = true;
    // The connection ends here either way; there is nobody to tell about a broken one.
    drop(talk(&mut BufReader::new(stream), &mut session, &collector, &world).await);
}

enum Ending {
    Closed,
    UpgradeTls,
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send>(
    stream: &mut BufReader<S>,
    session: &mut Session<Collector>,
    collector: &Collector,
    world: &World,
) -> std::io::Result<Ending> {
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut *stream).take(LINE_LIMIT);
        let read = limited.read_until(b'\n', &mut line);
        let length = timeout(PATIENCE, read).await.map_err(|_| std::io::ErrorKind::TimedOut)??;
        if length == 0 {
            return Ok(Ending::Closed);
        }
        let mut answer = session.process(&line);
        let finished = collector.progress().verdict.take();
        if let Some(verdict) = finished {
            match judge(collector, world, &verdict).await {
                Some(judged) => answer = judged,
                None => return Ok(Ending::Closed),
            }
        }
        if answer.action != Action::NoReply {
            send(stream, &answer).await?;
        }
        match answer.action {
            Action::Close => return Ok(Ending::Closed),
            Action::UpgradeTls => return Ok(Ending::UpgradeTls),
            Action::Reply | Action::NoReply => {}
        }
    }
}

/// Keeps the mail, or does what a fault says; nothing means to close the connection.
async fn judge(collector: &Collector, world: &World, verdict: &Verdict) -> Option<Response> {
    if matches!(verdict, Verdict::TooLarge) {
        return Some(response::NO_STORAGE);
    }
    let fault = world.state().faults.hit_mail().unwrap_or_default();
    if let Some(milliseconds) = fault.delay_ms {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    if fault.cut {
        return None;
    }
    if let Some(status) = fault.status {
        return Some(Response::custom(status, fault.body.unwrap_or_else(|| "Try again later".to_owned())));
    }
    let encrypted = collector.progress().envelope.encrypted;
    let envelope = std::mem::take(&mut collector.progress().envelope);
    collector.progress().envelope.encrypted = encrypted;
    world.receive(envelope);
    (!fault.lose_answer).then_some(response::OK)
}

async fn send<S: AsyncRead + AsyncWrite + Unpin + Send>(
    stream: &mut BufReader<S>,
    answer: &Response,
) -> std::io::Result<()> {
    stream.write_all(&answer.buffer()?).await?;
    stream.flush().await
}
