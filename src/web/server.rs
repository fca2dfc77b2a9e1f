//! The two HTTP servers, from start to an orderly end.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{
    App as Actix, Error, HttpServer,
    body::MessageBody,
    dev::{ServerHandle, ServiceRequest, ServiceResponse},
    http::ConnectionType,
    middleware::{Compress, DefaultHeaders, Next, from_fn},
    web::{Data, PayloadConfig},
};

use super::{
    api::KeyPace,
    follow::follow,
    pace::Pace,
    routes,
    sent::{MAX_FORM_BYTES, is_https},
};
use crate::app::{App, SharedApp};

/// How long running answers may take after the order to stop.
const STOP_SECONDS: u64 = 10;

/// Whether the process is about to stop.
#[derive(Debug, Default)]
pub struct Readiness(AtomicBool);

impl Readiness {
    /// From now on `readyz` says no, so that nobody sends new work.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it has been told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// The management address; none = health on the buyers' address only.
    pub management_bind: Option<SocketAddr>,
    /// Threads that answer.
    pub workers: usize,
}

/// The running servers.
#[derive(Debug)]
pub struct Server {
    handles: Vec<ServerHandle>,
    address: SocketAddr,
    readiness: Arc<Readiness>,
}

impl Server {
    /// Starts them on the running tokio runtime.
    ///
    /// # Errors
    /// When an address cannot be listened on, or nobody has said who may ask for a route.
    pub fn start(app: &SharedApp, listener: TcpListener, options: ServerOptions) -> std::io::Result<Self> {
        routes::check()?;
        let address = listener.local_addr()?;
        let readiness = Arc::new(Readiness::default());
        let mut handles = vec![serve(app, &readiness, listener, options.workers, routes::public)?];
        if let Some(bind) = options.management_bind {
            handles.push(serve(app, &readiness, TcpListener::bind(bind)?, 1, routes::management)?);
        }
        Ok(Self { handles, address, readiness })
    }

    /// Starts the management address alone, beside workers without pages.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start_management(app: &SharedApp, bind: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(bind)?;
        let address = listener.local_addr()?;
        let readiness = Arc::new(Readiness::default());
        Ok(Self { handles: vec![serve(app, &readiness, listener, 1, routes::management)?], address, readiness })
    }

    /// The buyers' address as bound; the management address where there are no pages.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `readyz` says.
    #[must_use]
    pub fn readiness(&self) -> &Arc<Readiness> {
        &self.readiness
    }

    /// Takes no more connections and ends the running ones.
    pub async fn stop(self) {
        self.readiness.stop();
        for handle in self.handles {
            handle.stop(true).await;
        }
    }
}

fn serve(
    app: &SharedApp,
    readiness: &Arc<Readiness>,
    listener: TcpListener,
    workers: usize,
    routes: fn(&mut actix_web::web::ServiceConfig),
) -> std::io::Result<ServerHandle> {
    let app: Data<App> = Data::from(Arc::clone(app));
    let readiness: Data<Readiness> = Data::from(Arc::clone(readiness));
    let (pace, key_pace) = (Data::new(Pace::default()), Data::new(KeyPace::default()));
    let service = move || {
        Actix::new()
            .app_data(app.clone())
            .app_data(readiness.clone())
            .app_data(pace.clone())
            .app_data(key_pace.clone())
            .app_data(PayloadConfig::new(MAX_FORM_BYTES))
            .wrap(Compress::default())
            .wrap(from_fn(follow))
            .wrap(from_fn(part))
            .wrap(security_headers(is_https(&app)))
            .configure(routes)
    };
    let server = HttpServer::new(service)
        .workers(workers)
        .disable_signals()
        // A compressed page leaves in pieces; the last one would wait 40 ms for the browser's word about the one before.
        .tcp_nodelay(true)
        .shutdown_timeout(STOP_SECONDS)
        .listen(listener)?
        .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

/// A process that is about to stop keeps no connection: whoever holds one goes elsewhere with the next request, instead of
/// sending it when the end has come.
async fn part(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let readiness = request.app_data::<Data<Readiness>>().cloned();
    let mut response = next.call(request).await?;
    if readiness.is_some_and(|readiness| readiness.is_stopping()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// Where buyers come by https, browsers are told for a year never to try anything else.
fn security_headers(https: bool) -> DefaultHeaders {
    let headers = DefaultHeaders::new();
    let headers = if https { headers.add(("Strict-Transport-Security", "max-age=31536000")) } else { headers };
    headers
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("X-Frame-Options", "DENY"))
        .add(("Referrer-Policy", "same-origin"))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
        .add(("Permissions-Policy", "camera=(), microphone=(), geolocation=()"))
        .add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
}

#[cfg(test)]
mod tests {
    use actix_web::{
        http::header::STRICT_TRANSPORT_SECURITY,
        test::{TestRequest, call_service, init_service},
    };

    use super::*;

    #[actix_web::test]
    async fn only_an_https_service_asks_for_https() {
        for https in [true, false] {
            let service = init_service(Actix::new().wrap(security_headers(https)).configure(routes::management)).await;
            let answer = call_service(&service, TestRequest::get().uri("/healthz").to_request()).await;
            assert_eq!(answer.headers().contains_key(STRICT_TRANSPORT_SECURITY), https);
            assert!(answer.headers().contains_key("X-Content-Type-Options"));
        }
    }
}
