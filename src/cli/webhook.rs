//! `seatkey webhook list` and `replay`: the inbox, for whoever looks into a subscription.

use serde_json::json;
use uuid::Uuid;

use super::{
    Failure,
    output::{print_json_line, print_line},
    serve::{ConfigArgs, connect},
};
use crate::store::{StoreError, Webhook};

/// More than anybody reads.
const MOST: u64 = 200;

#[derive(Debug, clap::Subcommand)]
pub(super) enum WebhookCommand {
    /// The webhooks of a subscription, newest first, and what came of each
    List(ListArgs),
    /// Acts upon a stored webhook once more; the workers do it
    Replay(ReplayArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    subscription: Uuid,
    /// JSON lines, with the raw bodies
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Its id, as `seatkey webhook list` shows it
    webhook: Uuid,
}

pub(super) fn run(command: &WebhookCommand) -> Result<(), Failure> {
    match command {
        WebhookCommand::List(args) => list(args),
        WebhookCommand::Replay(args) => replay(args),
    }
}

fn no(error: &StoreError) -> Failure {
    Failure::No(error.to_string())
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let (config, _) = args.config.load_with_clock()?;
    super::block_on(async {
        let store = connect(&config).await?;
        let webhooks = store.list_webhooks(args.subscription, MOST).await.map_err(|error| no(&error))?;
        webhooks.iter().try_for_each(|webhook| tell(webhook, args.json))
    })
}

fn tell(webhook: &Webhook, json: bool) -> Result<(), Failure> {
    let Webhook { id, action, operation_id, received_at, outcome, body, .. } = webhook;
    let outcome = outcome.as_deref().unwrap_or("not acted upon yet");
    if json {
        let facts = json!({
            "id": id, "action": action, "operationId": operation_id, "receivedAt": received_at.to_string(),
            "outcome": outcome, "body": body,
        });
        return print_json_line(&facts);
    }
    print_line(&format!("{received_at}  {id}  {action}: {outcome}"));
    Ok(())
}

fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let (config, clock) = args.config.load_with_clock()?;
    super::block_on(async {
        let store = connect(&config).await?;
        let tx = store.begin().await.map_err(|error| no(&error))?;
        let found = tx.replay_webhook(args.webhook, clock.now()).await.map_err(|error| no(&error))?;
        tx.commit().await.map_err(|error| no(&error))?;
        if found { Ok(()) } else { Err(Failure::No(format!("there is no webhook {}", args.webhook))) }
    })
}
