//! The person whom Microsoft does not name: staff bind one (`product.md` §7), who stays when Microsoft again names nobody.

use super::{Party, Snapshot};
use crate::domain::policy::Identity;

/// Why a person cannot be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBindable {
    /// Microsoft names a person for every party.
    #[error("Microsoft names the people of this subscription; nobody else can be bound")]
    Named,
    /// The parties without a person belong to another tenant.
    #[error("the party without a person belongs to another tenant")]
    OtherTenant,
}

impl Party {
    /// This party of a fresh answer; where the answer names nobody, and no other tenant, the person who was known stays.
    fn or_known(self, known: &Self) -> Self {
        let is_silent = self.object_id.is_none() && (self.tenant_id.is_none() || self.tenant_id == known.tenant_id);
        if is_silent { Self { tenant_id: known.tenant_id, object_id: known.object_id, ..self } } else { self }
    }

    fn takes(&self, who: Identity, is_tenant_known: bool) -> bool {
        self.object_id.is_none() && (self.tenant_id == Some(who.tenant_id) || !is_tenant_known)
    }
}

impl Snapshot {
    /// A fresh answer that keeps the people who were known, where it names none itself.
    #[must_use]
    pub fn with_people_of(self, known: &Self) -> Self {
        Self {
            beneficiary: self.beneficiary.or_known(&known.beneficiary),
            purchaser: self.purchaser.or_known(&known.purchaser),
            ..self
        }
    }

    /// Makes a person that of each party of the same tenant for which Microsoft names nobody; gives the words of those
    /// parties. Where Microsoft names no tenant at all, it is that of both: a deal of one tenant stays one.
    ///
    /// # Errors
    /// [`NotBindable`]: what Microsoft says is never replaced.
    pub fn bind(&mut self, who: Identity) -> Result<Vec<&'static str>, NotBindable> {
        let is_tenant_known = self.beneficiary.tenant_id.is_some() || self.purchaser.tenant_id.is_some();
        if self.beneficiary.object_id.is_some() && self.purchaser.object_id.is_some() {
            return Err(NotBindable::Named);
        }
        let mut bound = Vec::new();
        for (word, party) in [("beneficiary", &mut self.beneficiary), ("purchaser", &mut self.purchaser)] {
            if party.takes(who, is_tenant_known) {
                (party.tenant_id, party.object_id) = (Some(who.tenant_id), Some(who.object_id));
                bound.push(word);
            }
        }
        if bound.is_empty() { Err(NotBindable::OtherTenant) } else { Ok(bound) }
    }
}

#[cfg(test)]
mod tests {
    use uuid::{Uuid, uuid};

    use super::*;
    use crate::domain::subscription::MicrosoftStatus;

    const CONTOSO: Uuid = uuid!("3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44");
    const FABRIKAM: Uuid = uuid!("10000000-0000-4000-8000-00000000000f");
    const ALEX: Identity = Identity { tenant_id: CONTOSO, object_id: uuid!("10000000-0000-4000-8000-00000000000a") };

    fn snapshot(beneficiary: (Option<Uuid>, Option<Uuid>), purchaser: (Option<Uuid>, Option<Uuid>)) -> Snapshot {
        let party = |(tenant_id, object_id)| Party { tenant_id, object_id, email: String::new() };
        Snapshot {
            id: Uuid::nil(),
            offer_id: String::new(),
            plan_id: String::new(),
            name: String::new(),
            status: MicrosoftStatus::Subscribed,
            beneficiary: party(beneficiary),
            purchaser: party(purchaser),
            term_unit: None,
            term: None,
            auto_renew: true,
            update_allowed: true,
            is_test: false,
            quantity: None,
        }
    }

    #[test]
    fn only_a_party_without_a_person_is_bound() {
        let (jo, alex) = (Some(Uuid::nil()), Some(ALEX.object_id));
        let (contoso, fabrikam) = (Some(CONTOSO), Some(FABRIKAM));
        type Pair = (Option<Uuid>, Option<Uuid>);
        type Expected = Result<Vec<&'static str>, NotBindable>;
        let table: [(&str, Pair, Pair, Expected); 6] = [
            ("nobody is named", (contoso, None), (contoso, None), Ok(vec!["beneficiary", "purchaser"])),
            ("not even a tenant", (None, None), (None, None), Ok(vec!["beneficiary", "purchaser"])),
            ("a reseller deal", (contoso, None), (fabrikam, None), Ok(vec!["beneficiary"])),
            ("the other one is named", (contoso, None), (contoso, jo), Ok(vec!["beneficiary"])),
            ("both are named", (contoso, jo), (contoso, alex), Err(NotBindable::Named)),
            ("another tenant", (fabrikam, None), (fabrikam, None), Err(NotBindable::OtherTenant)),
        ];
        for (name, beneficiary, purchaser, expected) in table {
            let mut one = snapshot(beneficiary, purchaser);
            assert_eq!(one.bind(ALEX), expected, "{name}");
        }
    }

    #[test]
    fn who_was_bound_stays_until_microsoft_names_somebody_else() {
        let mut known = snapshot((Some(CONTOSO), None), (Some(CONTOSO), None));
        known.bind(ALEX).unwrap();
        let silent = snapshot((Some(CONTOSO), None), (None, None));
        assert_eq!(silent.with_people_of(&known), known);
        let moved = snapshot((Some(FABRIKAM), None), (Some(CONTOSO), Some(Uuid::nil())));
        assert_eq!(moved.clone().with_people_of(&known), moved);
    }
}
