//! `seatkey api-key …`: the keys of the publisher's own systems, by the same use cases as the console's.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Failure, print_line, serve::ConfigArgs};
use crate::{
    app::{App, CreatedKey, create_api_key, revoke_api_key},
    clock::SharedClock,
    config::Config,
    domain::{
        api_key::ApiKey,
        staff::{Actor, Scope},
        words,
    },
    startup,
};

/// No name at the command line is longer.
const MAX_OPERATOR: usize = 100;

#[derive(Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Makes a key and prints it, once
    Create(CreateArgs),
    /// Every key: what it may do, until when, and when it was used last
    List(ConfigArgs),
    /// Revokes a key at once
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// What will use it
    #[arg(long)]
    name: String,
    /// What it may be used for; may be given several times
    #[arg(long, required = true, value_parser = PossibleValuesParser::new(Scope::ALL.map(Scope::as_str)))]
    scope: Vec<String>,
    /// In how many days it expires, at most 365
    #[arg(long, value_name = "DAYS")]
    expires_in: u32,
    /// Who makes it
    #[arg(long)]
    by: String,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Its id, as `list` shows it
    id: Uuid,
    /// Who revokes it
    #[arg(long)]
    by: String,
}

pub(super) fn run(command: &ApiKeyCommand) -> Result<(), Failure> {
    match command {
        ApiKeyCommand::Create(args) => create(args),
        ApiKeyCommand::List(args) => list(args),
        ApiKeyCommand::Revoke(args) => revoke(args),
    }
}

/// Whoever acts at the command line says who they are.
fn operator(name: &str) -> Result<Actor, Failure> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_OPERATOR {
        return Err(Failure::Usage(format!("--by: say who you are, in at most {MAX_OPERATOR} characters")));
    }
    Ok(Actor::Operator { name: name.to_owned() })
}

async fn build((config, clock): (Config, SharedClock)) -> Result<App, Failure> {
    startup::build(&config, clock).await.map_err(|error| Failure::Usage(error.to_string()))
}

/// Makes a key.
pub(super) async fn make(
    app: &App,
    by: &str,
    name: &str,
    scopes: BTreeSet<Scope>,
    days: u32,
) -> Result<CreatedKey, Failure> {
    let made = create_api_key(app, &operator(by)?, name, scopes, days).await;
    made.map_err(|error| Failure::No(error.to_string()))
}

fn create(args: &CreateArgs) -> Result<(), Failure> {
    let place = args.config.load_with_clock()?;
    let scopes = args.scope.iter().filter_map(|word| Scope::from_word(word)).collect();
    super::block_on(async {
        let app = build(place).await?;
        let made = make(&app, &args.by, &args.name, scopes, args.expires_in).await?;
        print_line(&made.text);
        let (id, until) = (made.key.id, words::day(made.key.expires_at.date()));
        print_line(&format!("Key {id}, until {until}. It is shown only now: keep it where secrets are kept."));
        Ok(())
    })
}

fn list(args: &ConfigArgs) -> Result<(), Failure> {
    let place = args.load_with_clock()?;
    super::block_on(async {
        let app = build(place).await?;
        let keys = app.store.list_api_keys().await.map_err(|error| Failure::No(error.to_string()))?;
        if keys.is_empty() {
            print_line("There are no API keys.");
        }
        keys.iter().for_each(|key| print_line(&tell(key, app.clock.now())));
        Ok(())
    })
}

fn tell(key: &ApiKey, now: OffsetDateTime) -> String {
    let standing = match key.revoked_at {
        Some(at) => format!("revoked on {}", words::instant(at)),
        None if key.is_valid(now) => format!("until {}", words::instant(key.expires_at)),
        None => format!("expired on {}", words::instant(key.expires_at)),
    };
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", words::instant(at)));
    format!("{}  {}  ({})  {standing}, {used}, made by {}", key.id, key.name, key.scope_words(), key.created_by)
}

fn revoke(args: &RevokeArgs) -> Result<(), Failure> {
    let (place, actor) = (args.config.load_with_clock()?, operator(&args.by)?);
    super::block_on(async {
        let app = build(place).await?;
        let key = revoke_api_key(&app, &actor, args.id).await.map_err(|error| Failure::No(error.to_string()))?;
        print_line(&format!("The key {} ({}) is revoked.", key.id, key.name));
        Ok(())
    })
}
