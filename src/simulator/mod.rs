//! Everything at Microsoft's end, so that the rest can be run and tested without it: the fulfillment API and
//! its webhooks, Entra, the portal's pages, a mailbox, and an interface that steps the time and sets faults.
//!
//! It shares nothing with the rest but the clock, and writes its own JSON: it must not share our mistakes.

mod bounded;
mod control;
mod entra;
mod event;
mod exchange;
mod faults;
mod fulfillment;
mod gate;
mod journal;
mod mail;
mod manage;
mod metering;
mod operation;
mod page;
mod portal;
mod purchase;
mod seed;
mod server;
mod subscription;
mod switches;
mod terms;
mod vault;
mod verbs;
mod webhook;
mod world;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{App as ActixApp, HttpServer, dev::ServerHandle, web};
use tokio::task::JoinHandle;
use url::Url;

pub use self::{
    faults::{Fault, FaultAction},
    journal::RecordedRequest,
    mail::{Attachment, Mail},
    metering::ReceivedUsage,
    purchase::Purchase,
    seed::{
        Application, Applications, Dimension, ManagedIdentity, MarketPrices, Offer, Plan, Publisher, Seed, Tenant, User,
    },
    switches::{HostileToken, Switches, TokenVersion, UsageTrick},
    vault::VaultChange,
    verbs::App,
    webhook::{Webhook, WebhookAnswer, WebhookRequest, WebhookState, WebhookTry},
    world::{Registration, World, WorldError},
};
use crate::clock::AdvanceableClock;

/// How the simulator is started.
#[derive(Debug)]
pub struct SimulatorOptions {
    /// Where the HTTP server listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The simulator's time.
    pub clock: Arc<dyn AdvanceableClock>,
    /// The world at the start.
    pub seed: Seed,
    /// How long after an activation `Subscribed` becomes visible, by the simulator's clock.
    pub activation_delay: time::Duration,
    /// Where the mail server listens; port 0 takes a free one.
    pub smtp_bind: SocketAddr,
    /// Whether other machines may reach it. They could sign in as anybody and read all mail.
    pub allow_remote: bool,
    /// Whether webhooks are sent by themselves. Tests send them when they want to.
    pub deliver_webhooks: bool,
}

impl SimulatorOptions {
    /// Loopback, free ports, the built-in seed, activations that are visible at once.
    #[must_use]
    pub fn new(clock: Arc<dyn AdvanceableClock>) -> Self {
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            bind: free_port,
            clock,
            seed: Seed::default(),
            activation_delay: time::Duration::ZERO,
            smtp_bind: free_port,
            allow_remote: false,
            deliver_webhooks: false,
        }
    }
}

/// The running simulator.
#[derive(Debug)]
pub struct Simulator {
    base_url: Url,
    world: World,
    http: ServerHandle,
    smtp: JoinHandle<()>,
    courier: Option<JoinHandle<()>>,
    smtp_url: String,
    smtp_ca_pem: String,
}

impl Simulator {
    /// Starts the HTTP and the mail server on the running tokio runtime.
    ///
    /// # Errors
    /// When an address is not loopback (and `allow_remote` is off), cannot be listened on, or the seed is not usable.
    pub async fn start(options: SimulatorOptions) -> std::io::Result<Self> {
        refuse_remote(&options)?;
        if let Some(price) = options.seed.bad_price() {
            return Err(std::io::Error::other(format!("the seed's price “{price}” is not a decimal text")));
        }
        let listener = TcpListener::bind(options.bind)?;
        // The name, not the number: cookies and cross-site rules tell localhost from 127.0.0.1, where the service is.
        let base_url = format!("http://localhost:{}/", listener.local_addr()?.port());
        let base_url = Url::parse(&base_url).map_err(std::io::Error::other)?;
        let world = World::new(options.clock, base_url.clone(), options.activation_delay, options.seed)?;
        let smtp_listener = tokio::net::TcpListener::bind(options.smtp_bind).await?;
        let smtp_url = format!("smtp://127.0.0.1:{}", smtp_listener.local_addr()?.port());
        let (acceptor, smtp_ca_pem) = mail::tls::acceptor()?;
        let http = serve(listener, &world)?;
        let smtp = mail::smtp::serve(smtp_listener, acceptor, world.clone());
        let courier = options.deliver_webhooks.then(|| webhook::courier::run(world.clone()));
        Ok(Self { base_url, world, http, smtp, courier, smtp_url, smtp_ca_pem })
    }

    /// `http://localhost:PORT/`.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// `smtp://127.0.0.1:PORT`; takes mail for everybody, in clear and by STARTTLS, without a password.
    #[must_use]
    pub fn smtp_url(&self) -> &str {
        &self.smtp_url
    }

    /// The certificate (PEM) of the authority that signed the mail server's.
    #[must_use]
    pub fn smtp_ca_pem(&self) -> &str {
        &self.smtp_ca_pem
    }

    /// The in-process handle on the simulated world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Stops both servers at once, without waiting for open connections.
    pub async fn stop(self) {
        self.http.stop(false).await;
    }
}

impl Drop for Simulator {
    /// A test that forgets to stop it leaves nothing running. The command is sent at once, only its end is awaited.
    fn drop(&mut self) {
        self.smtp.abort();
        if let Some(courier) = &self.courier {
            courier.abort();
        }
        drop(self.http.stop(false));
    }
}

fn refuse_remote(options: &SimulatorOptions) -> std::io::Result<()> {
    let remote = [options.bind, options.smtp_bind].into_iter().find(|address| !address.ip().is_loopback());
    match remote {
        Some(address) if !options.allow_remote => Err(std::io::Error::new(
            std::io::ErrorKind::PermissionDenied,
            format!("{address} can be reached from other machines; the simulator signs in anybody as anyone"),
        )),
        _ => Ok(()),
    }
}

fn serve(listener: TcpListener, world: &World) -> std::io::Result<ServerHandle> {
    let world = web::Data::new(world.clone());
    let app = move || {
        ActixApp::new()
            .app_data(world.clone())
            .app_data(web::PayloadConfig::new(server::BODY_LIMIT))
            .default_service(web::to(server::handle))
    };
    let server = HttpServer::new(app).workers(2).disable_signals().tcp_nodelay(true).shutdown_timeout(1);
    let server = server.listen(listener)?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

#[cfg(test)]
mod tests;
