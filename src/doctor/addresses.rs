//! Our own addresses, as buyers and Microsoft meet them: asked for from here, which is as far from outside as can be told.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;

use crate::{
    app::checkup::{Check, Mend, Round, Verdict, Whose},
    config::{self, Config},
    http::{bounded_text, innermost},
    signing::Jwk,
};

pub(super) static CHECKS: [&Check; 7] =
    [&PUBLIC_URL, &REACHABLE, &INSTALLATION, &KEYS, &WEBHOOK, &MANAGEMENT, &METRICS];

static PUBLIC_URL: Check = Check {
    id: "server.public_url",
    is_well_when: "[server] public_url is an https address of a host alone, that others can reach",
    needs: &[],
    mends: &[&HOST_ALONE, &NOT_LOOPBACK],
};
static REACHABLE: Check = Check {
    id: "server.reachable",
    is_well_when: "the service answers at public_url",
    needs: &["server.public_url"],
    mends: &[&LEAD_HERE],
};
static INSTALLATION: Check = Check {
    id: "server.installation",
    is_well_when: "what answers at public_url is this very installation: it publishes our signing key",
    needs: &["server.reachable", "signing.keys", "signing.permissions"],
    mends: &[&ANOTHER],
};
static KEYS: Check = Check {
    id: "server.keys",
    is_well_when: "every key of [signing] keys is published at public_url",
    needs: &["server.installation"],
    mends: &[&START_ANEW],
};
static WEBHOOK: Check = Check {
    id: "server.webhook",
    is_well_when: "Microsoft's webhook gets through to the service (a call without a token is refused by it with 401)",
    needs: &["server.reachable"],
    mends: &[&LET_IN],
};
static MANAGEMENT: Check = Check {
    id: "server.management",
    is_well_when: "[server] management_bind is not the buyers' address, and not one of the internet",
    needs: &[],
    mends: &[&ANOTHER_PORT, &INNER_ADDRESS],
};
static METRICS: Check = Check {
    id: "server.metrics",
    is_well_when: "the metrics cannot be read at public_url",
    needs: &["server.reachable"],
    mends: &[&KEEP_INSIDE],
};

static HOST_ALONE: Mend = Mend {
    whose: Whose::Operations,
    does: "Set [server] public_url to scheme and host alone (https://licenses.example.com/): no path, query, user or fragment.",
};
static NOT_LOOPBACK: Mend = Mend {
    whose: Whose::Operations,
    does: "Set [server] public_url to the https address that buyers use: an address of this machine alone leads them nowhere.",
};
static LEAD_HERE: Mend = Mend {
    whose: Whose::Network,
    does: "Start the service, and see that the DNS name, the certificate and the proxy of public_url lead to [server] bind.",
};
static ANOTHER: Mend = Mend {
    whose: Whose::Network,
    does: "Let public_url lead to this installation (another one answers there), or use the signing keys of that one here.",
};
static START_ANEW: Mend = Mend {
    whose: Whose::Operations,
    does: "Start every replica anew: the one that answers still runs with the list of keys from before.",
};
static LET_IN: Mend = Mend {
    whose: Whose::Network,
    does: "Let POST <public_url>/webhook through to the service as it is: no redirect, no sign-in, no filter in front of it.",
};
static ANOTHER_PORT: Mend =
    Mend { whose: Whose::Operations, does: "Give [server] management_bind a port of its own, beside that of bind." };
static INNER_ADDRESS: Mend = Mend {
    whose: Whose::Operations,
    does: "Bind [server] management_bind to 127.0.0.1 or an inner address, or keep its port from the internet by a firewall.",
};
static KEEP_INSIDE: Mend = Mend {
    whose: Whose::Network,
    does: "Let the proxy lead to [server] bind alone: figures of the business stand on the management address.",
};

/// No answer of ours to these questions is longer.
const MAX_BYTES: usize = 256 * 1024;

#[derive(Deserialize)]
struct Published {
    keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    #[serde(default)]
    kid: String,
}

/// Makes these checks; `keys` are those of the configuration.
pub(super) async fn look(round: &mut Round<'_>, config: &Config, http: &reqwest::Client, keys: &[Jwk]) {
    let url = &config.server.public_url;
    round.look(&PUBLIC_URL, async { public_url(config) }).await;
    round.look(&REACHABLE, reachable(http, url)).await;
    let ours: BTreeSet<String> = keys.iter().map(|key| key.kid.clone()).collect();
    let mut published = BTreeSet::new();
    let installation = async {
        match read_keys(http, url).await {
            Ok(there) => {
                let is_this_one = !ours.is_disjoint(&there);
                let saw =
                    format!("keys published there: {}, of ours: {}", there.len(), there.intersection(&ours).count());
                published = there;
                if is_this_one { Verdict::Well(saw) } else { Verdict::Wrong(&ANOTHER, saw) }
            }
            Err(reason) => Verdict::Wrong(&ANOTHER, reason),
        }
    };
    round.look(&INSTALLATION, installation).await;
    let all = async {
        match ours.difference(&published).count() {
            0 => Verdict::well("all of them are"),
            missing => Verdict::Wrong(&START_ANEW, format!("not published: {missing} of {}", ours.len())),
        }
    };
    round.look(&KEYS, all).await;
    round.look(&WEBHOOK, webhook(http, url)).await;
    round.look(&MANAGEMENT, async { management(config.server.bind, config.server.management_bind) }).await;
    round.look(&METRICS, metrics(http, url)).await;
}

fn public_url(config: &Config) -> Verdict {
    let url = &config.server.public_url;
    let is_host_alone = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_host_alone {
        return Verdict::Wrong(
            &HOST_ALONE,
            format!("it leads to {}{}", url.host_str().unwrap_or_default(), url.path()),
        );
    }
    // Beside a simulator on this machine everything is here.
    if config::is_loopback(url) && !config::is_loopback(&config.marketplace.base_url) {
        return Verdict::Wrong(&NOT_LOOPBACK, format!("{url} is this machine alone"));
    }
    Verdict::Well(url.to_string())
}

async fn get(http: &reqwest::Client, url: &Url, path: &str) -> Result<(StatusCode, String), String> {
    let words = |error: reqwest::Error| innermost(&error);
    let mut url = url.clone();
    url.set_path(path);
    let response = http.get(url).send().await.map_err(words)?;
    let status = response.status();
    let text = bounded_text(response, MAX_BYTES).await.map_err(words)?;
    Ok((status, text.unwrap_or_default()))
}

async fn reachable(http: &reqwest::Client, url: &Url) -> Verdict {
    match get(http, url, "/healthz").await {
        Ok((StatusCode::OK, text)) if text.trim() == "ok" => Verdict::well("it answers"),
        Ok((status, _)) => Verdict::Wrong(&LEAD_HERE, format!("{url}healthz answers {}", status.as_u16())),
        Err(reason) => Verdict::Wrong(&LEAD_HERE, format!("{url}healthz: {reason}")),
    }
}

async fn read_keys(http: &reqwest::Client, url: &Url) -> Result<BTreeSet<String>, String> {
    let (_, text) = get(http, url, "/.well-known/jwks.json").await?;
    let published: Published =
        serde_json::from_str(&text).map_err(|_| format!("{url}.well-known/jwks.json is no set of keys"))?;
    Ok(published.keys.into_iter().map(|key| key.kid).collect())
}

async fn webhook(http: &reqwest::Client, url: &Url) -> Verdict {
    let mut to = url.clone();
    to.set_path("/webhook");
    match http.post(to).json(&serde_json::json!({})).send().await.map(|response| response.status()) {
        Ok(StatusCode::UNAUTHORIZED) => {
            Verdict::Well(format!("{url}webhook must stand in every offer's technical configuration; it answers here"))
        }
        Ok(status) => {
            Verdict::Wrong(&LET_IN, format!("{url}webhook answers {} where the service would say 401", status.as_u16()))
        }
        Err(error) => Verdict::Wrong(&LET_IN, format!("{url}webhook: {}", innermost(&error))),
    }
}

fn management(bind: SocketAddr, management_bind: SocketAddr) -> Verdict {
    let is_free = management_bind.port() == 0;
    let overlap =
        bind.ip() == management_bind.ip() || bind.ip().is_unspecified() || management_bind.ip().is_unspecified();
    if bind.port() == management_bind.port() && overlap && !is_free {
        return Verdict::Wrong(&ANOTHER_PORT, format!("both are {management_bind}"));
    }
    match management_bind.ip() {
        ip if ip.is_unspecified() => {
            Verdict::Well(format!("{management_bind}: every address of this machine; keep the port from the internet"))
        }
        ip if is_inner(ip) => Verdict::Well(format!("{management_bind} is no address of the internet")),
        _ => Verdict::Warning(&INNER_ADDRESS, format!("{management_bind} is an address of the internet")),
    }
}

fn is_inner(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

async fn metrics(http: &reqwest::Client, url: &Url) -> Verdict {
    match get(http, url, "/metrics").await {
        Ok((StatusCode::OK, text)) if text.contains("seatkey_") => {
            Verdict::Wrong(&KEEP_INSIDE, format!("{url}metrics can be read"))
        }
        Ok((status, _)) => Verdict::Well(format!("{url}metrics answers {}", status.as_u16())),
        Err(reason) => Verdict::NotChecked(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_told_from_those_of_the_internet() {
        let table = [
            ("127.0.0.1:8081", true),
            ("0.0.0.0:8081", true),
            ("[::]:8081", true),
            ("10.1.2.3:8081", true),
            ("100.64.0.1:8081", true),
            ("[fd00::1]:8081", true),
            ("203.0.113.7:8081", false),
            ("[2001:db8::1]:8081", false),
        ];
        for (bind, is_well) in table {
            let verdict = management("127.0.0.1:8080".parse().unwrap(), bind.parse().unwrap());
            assert_eq!(matches!(verdict, Verdict::Well(_)), is_well, "{bind}: {verdict:?}");
        }
    }
}
