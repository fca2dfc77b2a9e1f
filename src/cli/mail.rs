//! `seatkey mail preview`: a mail with real data, as it would be sent now.

use super::{
    Failure,
    output::{print_json, print_line},
    serve::ConfigArgs,
};
use crate::{app, startup};

#[derive(Debug, clap::Subcommand)]
pub(super) enum MailCommand {
    /// Shows a mail of the life of a subscription; without a name, lists them
    Preview(PreviewArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct PreviewArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Which: upgraded, renewal_ahead, suspended, …
    name: Option<String>,
    /// Whose; default: the newest subscription that is in use
    #[arg(long)]
    subscription: Option<uuid::Uuid>,
    /// In which language; default: the subscription's
    #[arg(long)]
    language: Option<String>,
    /// The HTML part instead of the text
    #[arg(long, conflicts_with = "json")]
    html: bool,
    /// Everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &MailCommand) -> Result<(), Failure> {
    let MailCommand::Preview(args) = command;
    let Some(name) = &args.name else {
        app::PREVIEWS.iter().for_each(|name| print_line(name));
        return Ok(());
    };
    let (config, clock) = args.config.load_with_clock()?;
    super::block_on(async {
        let app = startup::build(&config, clock).await.map_err(|error| Failure::Usage(error.to_string()))?;
        let mail = app::preview_mail(&app, name, args.subscription, args.language.as_deref()).await;
        let mail = mail.map_err(|error| Failure::No(error.to_string()))?;
        if args.json {
            return print_json(&serde_json::json!({
                "messageId": mail.message_id, "to": mail.recipients, "replyTo": mail.reply_to, "subject": mail.subject,
                "text": mail.text_body, "html": mail.html_body,
            }));
        }
        if args.html {
            print_line(&mail.html_body);
        } else {
            print_line(&format!("To: {}\nSubject: {}\n\n{}", mail.recipients.join(", "), mail.subject, mail.text_body));
        }
        Ok(())
    })
}
