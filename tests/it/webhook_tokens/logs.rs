//! Nothing of a token in the logs, whatever becomes of it; in a process of its own, as `marketplace_client::logs`.

use std::process::Command;

use seatkey::marketplace::TokenVersion::{V1, V2};
use time::Duration;

use super::{
    entra::{Entra, MARKETPLACE},
    forge::{Forge, Signer},
};
use crate::marketplace_client::logs::{Log, leaks};

#[test]
fn nothing_of_a_token_is_logged() {
    let own = std::env::current_exe().unwrap();
    let story = "webhook_tokens::logs::tokens_with_everything_logged";
    let run = Command::new(own).args(["--exact", story, "--ignored", "--nocapture"]).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test]
#[ignore = "run by nothing_of_a_token_is_logged, in a process of its own"]
async fn tokens_with_everything_logged() {
    let log = Log::install();
    let entra = Entra::open();
    let mut secrets: Vec<(&'static str, String)> = vec![
        ("the caller", MARKETPLACE.to_owned()),
        ("a claim", "k2BgYPhatEdkxxOtwz".to_owned()),
        ("a claim", "Zq1gLw8vTkGv".to_owned()),
        ("a claim", "0d2b5c11-6f0e-4f7b-9a55-0c6a4d1e8f90".to_owned()),
        ("a key id", "a-key-that-nobody-knows".to_owned()),
    ];
    let mut present = |token: Forge| {
        let value = token.header_value().unwrap();
        let parts = value.trim_start_matches("Bearer ").split('.');
        secrets.extend(parts.map(|part| ("a part of a token", part.to_owned())));
        value
    };
    let changes: [fn(&mut Forge); 7] = [
        |_| {},
        |token| token.header.set("kid", "a-key-that-nobody-knows"),
        |token| token.header.set("alg", "none"),
        |token| token.claims.set("aud", "Zq1gLw8vTkGv"),
        |token| token.claims.set("iss", "Zq1gLw8vTkGv"),
        |token| token.claims.again("aio", "1"),
        |token| token.signer = Signer::Rsa(2),
    ];
    for well in [true, false] {
        entra.set_well(well);
        for version in [V1, V2] {
            for change in changes {
                let mut token = Forge::new(&entra.base, version).at(entra.now());
                change(&mut token);
                let verdict = entra.tokens.verify(Some(&present(token))).await;
                // What a careless caller of ours may log.
                match verdict {
                    Ok(caller) => tracing::info!(?caller, "accepted"),
                    Err(error) => tracing::warn!(%error, ?error, "refused"),
                }
            }
        }
        entra.pass(Duration::minutes(6));
    }
    let text = log.text();
    for words in ["Entra's keys for the webhook are fetched", "cannot be fetched", "accepted", "refused"] {
        assert!(text.contains(words), "nothing was captured of: {words}");
    }
    let found: Vec<_> = leaks(&text, &secrets).collect();
    assert!(found.is_empty(), "{found:#?}");
}
