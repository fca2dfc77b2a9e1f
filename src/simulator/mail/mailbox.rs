//! The mailbox's pages.

use serde_json::{Value, json};

use super::{
    super::{
        exchange::{Reply, Request},
        world::World,
    },
    Mail,
};

/// Nothing in a mail may run or load anything: not scripts, not remote pictures.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
                           frame-ancestors 'self'; sandbox";

/// How many mails the list shows.
const SHOWN: usize = 200;

/// Answers a request below `/mailbox`.
pub(in super::super) fn answer(world: &World, request: &Request, segments: &[&str]) -> Reply {
    match segments {
        [] => list(world, request.query().text("to")),
        [id, rest @ ..] => {
            let mail = world.state().mails.find(id).cloned();
            mail.and_then(|mail| part(world, &mail, rest))
                .unwrap_or_else(|| world.problem(404, "There is no such mail."))
        }
    }
}

fn list(world: &World, to: &str) -> Reply {
    let (mails, recipients) = {
        let state = world.state();
        let fits = |mail: &&Mail| to.is_empty() || mail.recipients.iter().any(|recipient| recipient == to);
        let mails: Vec<Value> =
            state.mails.iter().rev().filter(fits).take(SHOWN).map(|mail| mail.to_json(false)).collect();
        let recipients: std::collections::BTreeSet<String> =
            state.mails.iter().flat_map(|mail| mail.recipients.clone()).collect();
        (mails, recipients)
    };
    let details = json!({"title": "Mailbox", "mails": mails, "recipients": recipients, "chosen": to});
    world.page(200, "mailbox.html", details)
}

fn part(world: &World, mail: &Mail, rest: &[&str]) -> Option<Reply> {
    match rest {
        [] => {
            let shown = mail.to_json(false);
            let details = json!({
                "title": if mail.subject.is_empty() { "(no subject)" } else { &mail.subject },
                "mail": shown, "has_html": mail.html.is_some(), "text": mail.text,
                "attachments": shown.get("attachments"),
            });
            Some(world.page(200, "mail.html", details))
        }
        ["html"] => Some(Reply::html(200, mail.html.clone()?).header("content-security-policy", MAIL_POLICY)),
        ["raw"] => Some(Reply::bytes(200, "text/plain; charset=utf-8", mail.raw.clone())),
        ["attachments", number] => {
            let attachment = mail.attachments.get(number.parse::<usize>().ok()?)?;
            let name: String = attachment.name.chars().map(|sign| if is_plain(sign) { sign } else { '_' }).collect();
            let reply = Reply::bytes(200, "application/octet-stream", attachment.content.clone());
            Some(reply.header("content-disposition", &format!("attachment; filename=\"{name}\"")))
        }
        _ => None,
    }
}

/// Safe inside a header's quotes.
fn is_plain(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "-_. ".contains(sign)
}
