//! `seatkey simulate`: only Microsoft's end.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{Failure, print_line, serve::OrderToStop};
use crate::{
    clock::OffsetClock,
    simulator::{Seed, Simulator, SimulatorOptions},
    telemetry,
};

const MAX_SEED_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// The port on loopback
    #[arg(long, default_value_t = 8090)]
    port: u16,
    /// The port of the mail server on loopback
    #[arg(long, default_value_t = 8025)]
    smtp_port: u16,
    /// People, offers and prices (JSON); default: built in, see /control/seed
    #[arg(long)]
    seed: Option<PathBuf>,
}

pub(super) fn run(args: &SimulateArgs) -> Result<(), Failure> {
    telemetry::install();
    let seed = args.seed.as_ref().map_or_else(|| Ok(Seed::default()), read_seed)?;
    super::block_on(async {
        let clock = OffsetClock::new(std::env::var_os("SEATKEY_CLOCK_FILE").map(PathBuf::from));
        let options = SimulatorOptions {
            bind: SocketAddr::from(([127, 0, 0, 1], args.port)),
            smtp_bind: SocketAddr::from(([127, 0, 0, 1], args.smtp_port)),
            seed,
            deliver_webhooks: true,
            ..SimulatorOptions::new(clock)
        };
        let simulator = Simulator::start(options).await;
        let simulator = simulator.map_err(|error| Failure::Usage(format!("the simulator cannot start: {error}")))?;
        let base = simulator.base_url();
        print_line(&format!("Simulated portal    {base}portal"));
        print_line(&format!("Simulated mailbox   {base}mailbox"));
        print_line(&format!("Control             {base}control/help"));
        print_line(&format!("Mail server         {}", simulator.smtp_url()));
        OrderToStop::listen()?.wait().await;
        simulator.stop().await;
        Ok(())
    })
}

fn read_seed(path: &PathBuf) -> Result<Seed, Failure> {
    let unusable =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("the seed {} cannot be used: {error}", path.display()));
    if std::fs::metadata(path).map_err(|error| unusable(&error))?.len() > MAX_SEED_BYTES {
        return Err(unusable(&"it is too long"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unusable(&error))?;
    serde_json::from_str(&text).map_err(|error| unusable(&error))
}
