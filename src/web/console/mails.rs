//! All mails, and each of them.

use std::rc::Rc;

use super::{
    list::{Filters, Found, Rows, place},
    names::Names,
    stop::Stop,
    visit::{Answer, StaffVisit, ok},
};
use crate::{
    app::{App, AppError},
    domain::staff::Role,
    pages::console::{
        frame::Room,
        list::Filter,
        mails::{COLUMNS, MailFacts, MailPage, MailText, row},
        table::Column,
        trouble::Stopped,
    },
    store::MailState,
};

pub(super) struct Mails;

impl Rows for Mails {
    const ROOM: Room = Room::Mails;
    const TITLE: &'static str = "Mails";
    const PATH: &'static str = "/console/mails";
    const COLUMNS: &'static [Column] = COLUMNS;
    const FILTERS: &'static [Filter] = &[
        Filter { name: "state", label: "State", choices: &["queued", "sent", "erased"] },
        Filter { name: "subscription", label: "Subscription id", choices: &[] },
    ];
    const EMPTY: &'static str = "There is no such mail.";

    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let Some(after) = place(after) else { return Ok(Found::default()) };
        let filter = (filters.get("state"), filters.id("subscription"));
        let found = app.store.list_newest_mails(filter, after, limit).await?;
        let names = Names::read(app, found.iter().filter_map(|one| one.subscription_id)).await?;
        let shown = found.iter().map(|one| {
            let facts = MailFacts {
                id: one.id,
                subscription: names.with_id(one.subscription_id),
                recipients: &one.recipients,
                subject: &one.subject,
                state: &one.state,
                last_error: one.last_error.as_deref(),
                created_at: one.created_at,
            };
            row(&facts, one.sent_at)
        });
        Ok(Found::page(shown.collect(), found.last().map(|one| one.id), limit))
    }
}

/// `GET /console/mails/{id}`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let id = visit.path_id("id")?;
    let mail = visit.app.store.find_mail(id).await?.ok_or(Stop::Here(Stopped::NotFound))?;
    let content = &mail.content;
    let names = Names::read(&visit.app, content.subscription_id.into_iter()).await?;
    let facts = MailFacts {
        id,
        subscription: names.with_id(content.subscription_id),
        recipients: &content.recipients,
        subject: &content.subject,
        state: match mail.state {
            MailState::Queued => "queued",
            MailState::Sent => "sent",
            MailState::Erased => "erased",
        },
        last_error: mail.last_error.as_deref(),
        created_at: mail.created_at,
    };
    let attachments: Vec<(&str, &str)> =
        content.attachments.iter().map(|one| (one.name.as_str(), one.text.as_str())).collect();
    let said = MailText {
        text: &content.text_body,
        attachments: &attachments,
        reply_to: &content.reply_to,
        message_id: &content.message_id,
    };
    // Keys are secrets of the customer: who helps with them sees them, nobody else.
    let may_see_keys = visit.signed_in()?.member.roles.include(Role::Support);
    ok(&visit, &MailPage::new(visit.frame(Room::Mails).await?, &facts, &said, may_see_keys))
}
