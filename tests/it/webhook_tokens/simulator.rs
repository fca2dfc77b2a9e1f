//! The built-in simulator as the Entra that publishes the keys.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use seatkey::{
    clock::{AdvanceableClock as _, SteppedClock},
    marketplace::TokenVersion::{V1, V2},
    simulator::{Simulator, SimulatorOptions},
};
use time::Duration;

use super::{
    entra::{NOW, TENANT, pair, tokens},
    forge::Forge,
};

/// The id that the simulator gives to a key.
fn kid(index: usize) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, pair(index).public().as_ref()))
}

#[tokio::test]
async fn tokens_of_the_simulators_keys_are_accepted_before_and_after_a_rotation() {
    let clock = SteppedClock::at(NOW);
    let simulator = Simulator::start(SimulatorOptions::new(Arc::clone(&clock) as _)).await.unwrap();
    let base = simulator.base_url().clone();
    let tokens = tokens(&base, &clock);
    for index in [0, 1] {
        for version in [V1, V2] {
            let mut token = Forge::new(&base, version).by(&kid(index), index);
            if version == V1 {
                token.claims.set("iss", format!("{base}{TENANT}/"));
            }
            let caller = tokens.verify(token.header_value().as_deref()).await.unwrap();
            assert_eq!(caller.version, version);
        }
        simulator.world().rotate_keys();
        clock.advance(Duration::minutes(5)).unwrap();
    }
    let requests = simulator.world().requests().into_iter();
    let fetches = requests.filter(|request| request.path == format!("/{TENANT}/discovery/keys")).count();
    assert_eq!(fetches, 2);
    simulator.stop().await;
}
