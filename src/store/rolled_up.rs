//! The roll-up of the console's pictures: a few thousand rows that a job writes and the pages read.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait,
};
use time::OffsetDateTime;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{from_micros, to_micros},
    domain::numbers::{Mark, Of, Tallies, Tally, Topic},
};

const TABLE: &str = "rolled_up";
/// Rows in a statement; each has ten values, and SQLite takes 32,766.
const AT_ONCE: usize = 500;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rolled_up")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub topic: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub period: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub offer_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub item: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub currency: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub mark: String,
        pub count: i64,
        pub users: i64,
        pub amount_minor: Option<i64>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is rolled up, and when that was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolledUp {
    /// The figures.
    pub tallies: Tallies,
    /// When the newest of them was made; `None` = there is none yet.
    pub at: Option<OffsetDateTime>,
}

impl Store {
    /// The figures, of one offer or of all of them; `None` of the topics = all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read_rolled_up(&self, topics: Option<&[Topic]>, offer_id: Option<&str>) -> Result<RolledUp> {
        use entity::Column;
        let topics = topics.map(|topics| Column::Topic.is_in(topics.iter().map(|topic| topic.as_str())));
        let offer = offer_id.map(|offer| Column::OfferId.eq(offer));
        let these = entity::Entity::find().filter(Condition::all().add_option(topics).add_option(offer));
        let mut rolled_up = RolledUp::default();
        for row in these.all(self.connection()).await? {
            let at = from_micros(row.at);
            rolled_up.at = Ord::max(rolled_up.at, Some(at));
            let (of, tally) = from_row(row)?;
            rolled_up.tallies.insert(of, tally);
        }
        Ok(rolled_up)
    }

    /// The offers that there are figures of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_rolled_up_offers(&self) -> Result<Vec<String>> {
        use entity::Column;
        let offers = entity::Entity::find().select_only().column(Column::OfferId).distinct();
        Ok(offers.order_by_asc(Column::OfferId).into_tuple().all(self.connection()).await?)
    }
}

impl Tx {
    /// Writes all figures anew. How things stood in a period that is over stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_rolled_up(
        &self,
        tallies: &Tallies,
        periods: &BTreeSet<String>,
        now: OffsetDateTime,
    ) -> Result<()> {
        use entity::Column;
        let is_a_state = Column::Topic.is_in(Topic::ALL.into_iter().filter(|one| one.is_a_state()).map(Topic::as_str));
        let is_over = Column::Period.is_not_in(periods);
        let old = entity::Entity::delete_many().filter(is_a_state.and(is_over).not());
        old.exec(self.connection()).await?;
        let rows: Vec<entity::ActiveModel> = tallies.iter().map(|(of, tally)| to_row(of, *tally, now)).collect();
        for some in rows.chunks(AT_ONCE) {
            entity::Entity::insert_many(some.iter().cloned()).exec_without_returning(self.connection()).await?;
        }
        Ok(())
    }
}

fn to_row(of: &Of, tally: Tally, now: OffsetDateTime) -> entity::ActiveModel {
    entity::ActiveModel {
        topic: Set(of.topic.as_str().to_owned()),
        period: Set(of.period.clone()),
        offer_id: Set(of.offer_id.clone()),
        item: Set(of.item.clone()),
        currency: Set(of.currency.clone()),
        mark: Set(of.mark.as_str().to_owned()),
        count: Set(tally.count),
        users: Set(tally.users),
        amount_minor: Set(tally.amount_minor),
        at: Set(to_micros(now)),
    }
}

fn from_row(row: entity::Model) -> Result<(Of, Tally)> {
    let wrong = |column: &'static str, word: &str| StoreError::inconsistent(TABLE, column, &row.period, word);
    let topic = Topic::from_word(&row.topic).ok_or_else(|| wrong("topic", &row.topic))?;
    let mark = Mark::from_word(&row.mark).ok_or_else(|| wrong("mark", &row.mark))?;
    let tally = Tally { count: row.count, users: row.users, amount_minor: row.amount_minor };
    let of = Of { topic, period: row.period, offer_id: row.offer_id, item: row.item, currency: row.currency, mark };
    Ok((of, tally))
}
