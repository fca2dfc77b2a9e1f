//! `seatkey health`: the question that an image asks itself.

use std::net::{Ipv4Addr, SocketAddr};

use seatkey::{app::Trouble, web::Server};

use crate::support::{Database, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_asks_its_own_process() {
    let mut stage = Stage::set(Database::Sqlite).await;
    let management = Server::start_management(&stage.app, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = management.address();
    // It listens to everybody there, as in a container.
    let bind = format!("management_bind = \"0.0.0.0:{}\"", address.port());
    stage.change_configuration("management_bind = \"127.0.0.1:0\"", &bind);
    assert_eq!(stage.run(&["health"]), "ready\n");
    stage.app.health.report(Trouble::SignInCredential, "AADSTS7000222");
    assert_eq!(stage.run(&["health"]), "ready\n[sign_in] is refused: AADSTS7000222\n", "a trouble of all processes");
    stage.app.store.clone().close().await;
    let (code, told, complaint) = stage.ask(&["health"]);
    assert_eq!((code, told.as_str()), (Some(1), ""));
    assert!(complaint.starts_with("seatkey: not ready: database: "), "{complaint}");
    assert_eq!(stage.run(&["health", "--live"]), "ok\n", "the process itself runs");
    management.stop().await;
    let (code, _, complaint) = stage.ask(&["health", "--live"]);
    assert_eq!(code, Some(1));
    assert!(complaint.starts_with(&format!("seatkey: {address} does not answer: ")), "{complaint}");
    stage.strike().await;
}
