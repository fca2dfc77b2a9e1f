//! The audit log.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    list::{Filters, Found, Rows, place},
    names::Names,
};
use crate::{
    app::{App, AppError},
    domain::{
        policy::Identity,
        staff::{Actor, member_named},
    },
    pages::console::{
        frame::Room,
        list::Filter,
        staff_actions::{COLUMNS, EntryFacts, row},
        table::Column,
    },
    store::{AuditFilter, ListedEntry, Who},
};

pub(super) struct StaffActions;

impl Rows for StaffActions {
    const ROOM: Room = Room::StaffActions;
    const TITLE: &'static str = "Staff actions";
    const PATH: &'static str = "/console/staff-actions";
    const COLUMNS: &'static [Column] = COLUMNS;
    const FILTERS: &'static [Filter] = &[
        Filter { name: "who", label: "Who", choices: &["staff", "buyer", "api", "operator", "seatkey", "microsoft"] },
        Filter { name: "action", label: "Action, as staff_signed_in", choices: &[] },
        Filter { name: "subscription", label: "Subscription id", choices: &[] },
    ];
    const EMPTY: &'static str = "There is no such entry.";

    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let Some(after) = place(after) else { return Ok(Found::default()) };
        let who = filters.get("who").map(|word| Who::ALL.into_iter().find(|who| who.as_str() == word));
        let Some(who) = who.map_or(Some(None), |who| who.map(Some)) else { return Ok(Found::default()) };
        let filter = AuditFilter { who, action: filters.get("action"), subscription_id: filters.id("subscription") };
        let found = app.store.list_audit(filter, after, limit).await?;
        let names = Names::read(app, found.iter().filter_map(|one| one.subscription_id)).await?;
        let actors = actors(app, &found).await?;
        let shown = found.iter().map(|one| {
            row(&EntryFacts {
                at: one.at,
                name: actors.get(&one.actor).map_or("", String::as_str),
                actor: &one.actor,
                action: &one.action,
                subscription: names.with_id(one.subscription_id),
                detail: &one.detail,
                position: one.position,
                hash: one.hash.as_deref(),
            })
        });
        Ok(Found::page(shown.collect(), found.last().map(|one| one.id), limit))
    }
}

/// The names of the publisher's people and programs, by their words in the log.
async fn actors(app: &App, entries: &[ListedEntry]) -> Result<BTreeMap<String, String>, AppError> {
    let mut people: Vec<Identity> = entries.iter().filter_map(|one| member_named(&one.actor)).collect();
    people.sort_unstable_by_key(|who| (who.tenant_id, who.object_id));
    people.dedup();
    let members = app.store.list_staff_by_identity(people).await?;
    let staff = members.into_iter().map(|member| (Actor::Member(member.clone()).audit_word(), member.name));
    let programs = entries.iter().filter_map(|one| one.actor.strip_prefix("api:"));
    let mut keys: Vec<Uuid> = programs.filter_map(|id| Uuid::parse_str(id).ok()).collect();
    keys.sort_unstable();
    keys.dedup();
    let keys = app.store.list_api_key_names(keys).await?.into_iter().map(|(id, name)| (format!("api:{id}"), name));
    Ok(staff.chain(keys).collect())
}
