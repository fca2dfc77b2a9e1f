//! The publisher's people as of their last sign-in, and their sessions. A session has no roles of its own: what the last
//! sign-in of the person said holds for all of them, so that a role that was taken away is gone everywhere.

use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel as _, QueryFilter,
    sea_query::ExprTrait as _,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, Tx};
use crate::{
    clock::{from_micros, new_id, to_micros},
    domain::{
        policy::Identity,
        staff::{Member, Roles},
    },
};

mod member {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "staff_member")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: Uuid,
        pub object_id: Uuid,
        pub name: String,
        pub email: String,
        pub roles: String,
        pub first_seen_at: i64,
        pub signed_in_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod session {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "staff_session")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub member_id: Uuid,
        pub csrf: String,
        pub created_at: i64,
        pub last_seen_at: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A signed-in person of the staff.
#[derive(Debug, Clone)]
pub struct StaffSession {
    /// The digest of the cookie.
    pub id: String,
    /// Who it is.
    pub member: Member,
    /// What every form of this session must send back.
    pub csrf: String,
    /// When it was opened: a sign-in of then.
    pub created_at: OffsetDateTime,
    /// When it was last used.
    pub last_seen_at: OffsetDateTime,
    /// The absolute end.
    pub expires_at: OffsetDateTime,
}

fn from_row(row: member::Model) -> Member {
    Member {
        id: row.id,
        identity: Identity { tenant_id: row.tenant_id, object_id: row.object_id },
        name: row.name,
        email: row.email,
        roles: Roles::from_words(row.roles.split(' ')),
        signed_in_at: from_micros(row.signed_in_at),
    }
}

async fn find_member(reader: &impl Reader, id: Uuid) -> Result<Option<Member>> {
    Ok(member::Entity::find_by_id(id).one(reader.connection()).await?.map(from_row))
}

impl Store {
    /// The session behind a cookie's digest, unless its absolute end is over.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_staff_session(&self, id: &str, now: OffsetDateTime) -> Result<Option<StaffSession>> {
        let row = session::Entity::find_by_id(id).one(self.connection()).await?;
        let Some(row) = row.filter(|row| row.expires_at > to_micros(now)) else { return Ok(None) };
        let Some(member) = find_member(self, row.member_id).await? else { return Ok(None) };
        Ok(Some(StaffSession {
            id: row.id,
            member,
            csrf: row.csrf,
            created_at: from_micros(row.created_at),
            last_seen_at: from_micros(row.last_seen_at),
            expires_at: from_micros(row.expires_at),
        }))
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn touch_staff_session(&self, id: &str, now: OffsetDateTime) -> Result<()> {
        let row = session::ActiveModel { last_seen_at: Set(to_micros(now)), ..Default::default() };
        session::Entity::update_many().set(row).filter(session::Column::Id.eq(id)).exec(self.connection()).await?;
        Ok(())
    }

    /// One of the staff.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_staff_member(&self, id: Uuid) -> Result<Option<Member>> {
        find_member(self, id).await
    }

    /// Several of them.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_staff_members(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Member>> {
        let rows = member::Entity::find().filter(member::Column::Id.is_in(ids)).all(self.connection()).await?;
        Ok(rows.into_iter().map(from_row).collect())
    }
}

async fn list_by_identity(reader: &impl Reader, people: impl IntoIterator<Item = Identity>) -> Result<Vec<Member>> {
    use member::Column;
    let same = |who: Identity| Column::TenantId.eq(who.tenant_id).and(Column::ObjectId.eq(who.object_id));
    let mut people = people.into_iter().map(same).peekable();
    if people.peek().is_none() {
        return Ok(Vec::new());
    }
    let these = people.fold(Condition::any(), Condition::add);
    let rows = member::Entity::find().filter(these).all(reader.connection()).await?;
    Ok(rows.into_iter().map(from_row).collect())
}

impl Store {
    /// Those of these people who have signed in here.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_staff_by_identity(&self, people: impl IntoIterator<Item = Identity>) -> Result<Vec<Member>> {
        list_by_identity(self, people).await
    }
}

impl Tx {
    /// One of the staff, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_staff_member(&self, id: Uuid) -> Result<Option<Member>> {
        find_member(self, id).await
    }

    /// The same by who they are.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_staff_by_identity(&self, who: Identity) -> Result<Option<Member>> {
        Ok(list_by_identity(self, [who]).await?.pop())
    }

    /// Keeps who has signed in: the name, the address and the roles are those of now.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn record_staff_member(
        &self,
        identity: Identity,
        (name, email): (&str, &str),
        roles: &Roles,
        now: OffsetDateTime,
    ) -> Result<Member> {
        use member::Column;
        let this = Column::TenantId.eq(identity.tenant_id);
        let known = member::Entity::find().filter(this).filter(Column::ObjectId.eq(identity.object_id));
        let known = known.one(self.connection()).await?;
        let (id, first_seen_at) =
            known.as_ref().map_or_else(|| (new_id(now), to_micros(now)), |row| (row.id, row.first_seen_at));
        let row = member::Model {
            id,
            tenant_id: identity.tenant_id,
            object_id: identity.object_id,
            name: name.to_owned(),
            email: email.to_owned(),
            roles: roles.to_words(),
            first_seen_at,
            signed_in_at: to_micros(now),
        };
        let written = row.clone().into_active_model().reset_all();
        if known.is_some() {
            member::Entity::update(written).exec(self.connection()).await?;
        } else {
            member::Entity::insert(written).exec_without_returning(self.connection()).await?;
        }
        Ok(from_row(row))
    }

    /// Opens a session.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn insert_staff_session(&self, new: &StaffSession) -> Result<()> {
        let row = session::ActiveModel {
            id: Set(new.id.clone()),
            member_id: Set(new.member.id),
            csrf: Set(new.csrf.clone()),
            created_at: Set(to_micros(new.created_at)),
            last_seen_at: Set(to_micros(new.last_seen_at)),
            expires_at: Set(to_micros(new.expires_at)),
        };
        session::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Closes a session.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn delete_staff_session(&self, id: &str) -> Result<()> {
        session::Entity::delete_by_id(id).exec(self.connection()).await?;
        Ok(())
    }

    /// Forgets sessions that are over.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn delete_expired_staff_sessions(&self, now: OffsetDateTime) -> Result<()> {
        let over = session::Column::ExpiresAt.lte(to_micros(now));
        session::Entity::delete_many().filter(over).exec(self.connection()).await?;
        Ok(())
    }
}
