//! `seatkey health`: asks the process that runs with this configuration on this machine, for images that have nothing else to ask
//! with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Failure, output::print_line, serve::ConfigArgs};
use crate::http;

/// The answer has a line for each thing that is wrong.
const MAX_BYTES: usize = 64 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Asks whether the process runs, not whether it can take requests
    #[arg(long)]
    live: bool,
}

pub(super) fn run(args: &HealthArgs) -> Result<(), Failure> {
    let config = args.config.load()?;
    let address = reachable(config.server.management_bind);
    let path = if args.live { "healthz" } else { "readyz" };
    super::block_on(async {
        let no_answer =
            |error: &reqwest::Error| Failure::No(format!("{address} does not answer: {}", http::innermost(error)));
        let http = http::client_of_this_machine().map_err(|error| no_answer(&error))?;
        let answer = http.get(format!("http://{address}/{path}")).send().await.map_err(|error| no_answer(&error))?;
        let is_well = answer.status().is_success();
        let text = http::bounded_text(answer, MAX_BYTES).await.map_err(|error| no_answer(&error))?.unwrap_or_default();
        let text = text.trim_end();
        if is_well {
            print_line(text);
            return Ok(());
        }
        Err(Failure::No(format!("not ready: {}", text.replace('\n', "; "))))
    })
}

/// Where an address that listens to everybody is reached from here.
fn reachable(mut bind: SocketAddr) -> SocketAddr {
    match bind.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => bind.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => bind.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    bind
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn an_address_for_everybody_is_asked_at_this_machine() {
        for (bind, asked) in [
            ("0.0.0.0:8081", "127.0.0.1:8081"),
            ("[::]:8081", "[::1]:8081"),
            ("10.0.0.4:8081", "10.0.0.4:8081"),
            ("127.0.0.1:9", "127.0.0.1:9"),
        ] {
            assert_eq!(reachable(bind.parse().unwrap()).to_string(), asked);
        }
    }
}
