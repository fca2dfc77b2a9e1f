//! Who may do what (`product.md` §7). E-mail addresses never grant anything.

use uuid::{Uuid, uuid};

use super::subscription::{Party, Snapshot};

/// All personal Microsoft accounts share this tenant: there, nothing is granted to the tenant as a whole.
pub const PERSONAL_ACCOUNTS: Uuid = uuid!("9188040d-6c67-4c5b-b112-36a304b66dad");

/// Who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The tenant that signed them in.
    pub tenant_id: Uuid,
    /// The person in it.
    pub object_id: Uuid,
}

/// What a buyer may do with one subscription; each includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// A stranger: sees what anybody with a wrong token sees.
    Nothing,
    /// Somebody else of the same tenant: may look, without key and charges.
    Look,
    /// The beneficiary of a reseller deal: sees the key, and may ask the purchaser for changes.
    Use,
    /// May enrol, upgrade and cancel.
    Buy,
}

/// The rights of a signed-in person. `members_may_buy` is the plan's switch for people of the buyer's tenant.
#[must_use]
pub fn rights(who: Identity, subscription: &Snapshot, members_may_buy: bool) -> Rights {
    let of_purchaser = rights_of_party(who, &subscription.purchaser, members_may_buy);
    let of_beneficiary = rights_of_party(who, &subscription.beneficiary, members_may_buy);
    // In a reseller deal only the purchaser's people may buy; the beneficiary's use and ask.
    let limit = if subscription.is_reseller_deal() { Rights::Use } else { Rights::Buy };
    of_purchaser.max(of_beneficiary.min(limit))
}

fn rights_of_party(who: Identity, party: &Party, members_may_buy: bool) -> Rights {
    if party.tenant_id != Some(who.tenant_id) {
        return Rights::Nothing;
    }
    if party.object_id == Some(who.object_id) {
        return Rights::Buy;
    }
    match (who.tenant_id == PERSONAL_ACCOUNTS, members_may_buy) {
        (true, _) => Rights::Nothing,
        (false, true) => Rights::Buy,
        (false, false) => Rights::Look,
    }
}

/// How a customer is remembered for first-time trials: the tenant, or the person where the tenant is everybody's.
#[must_use]
pub fn trial_customer(beneficiary: &Party) -> Option<String> {
    let tenant = beneficiary.tenant_id?;
    if tenant == PERSONAL_ACCOUNTS {
        return beneficiary.object_id.map(|person| format!("{tenant}/{person}"));
    }
    Some(tenant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::subscription::MicrosoftStatus;

    const CONTOSO: Uuid = uuid!("3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44");
    const FABRIKAM: Uuid = uuid!("10000000-0000-4000-8000-00000000000f");
    const ALEX: Uuid = uuid!("10000000-0000-4000-8000-00000000000a");
    const JO: Uuid = uuid!("10000000-0000-4000-8000-00000000000b");

    fn party(tenant: Uuid, object: Option<Uuid>) -> Party {
        Party { tenant_id: Some(tenant), object_id: object, email: "alex.weber@contoso.example".into() }
    }

    fn purchase(beneficiary: Party, purchaser: Party, update_allowed: bool) -> Snapshot {
        Snapshot {
            id: Uuid::nil(),
            offer_id: String::new(),
            plan_id: String::new(),
            name: String::new(),
            status: MicrosoftStatus::PendingFulfillmentStart,
            beneficiary,
            purchaser,
            term_unit: None,
            term: None,
            auto_renew: true,
            update_allowed,
            is_test: false,
            quantity: None,
        }
    }

    #[test]
    fn rights_by_person_and_deal() {
        let direct = purchase(party(CONTOSO, Some(ALEX)), party(CONTOSO, Some(ALEX)), true);
        let reseller = purchase(party(CONTOSO, Some(ALEX)), party(FABRIKAM, Some(JO)), false);
        let personal = purchase(party(PERSONAL_ACCOUNTS, Some(ALEX)), party(PERSONAL_ACCOUNTS, Some(ALEX)), true);
        let nameless = purchase(party(CONTOSO, None), party(CONTOSO, None), true);
        let table = [
            ("the buyer", &direct, CONTOSO, ALEX, false, Rights::Buy),
            ("a colleague", &direct, CONTOSO, JO, false, Rights::Look),
            ("a colleague where the plan allows it", &direct, CONTOSO, JO, true, Rights::Buy),
            ("the same person id in another tenant", &direct, FABRIKAM, ALEX, true, Rights::Nothing),
            ("the reseller", &reseller, FABRIKAM, JO, false, Rights::Buy),
            ("the beneficiary of a reseller deal", &reseller, CONTOSO, ALEX, false, Rights::Use),
            ("a beneficiary's colleague, whatever the plan", &reseller, CONTOSO, JO, true, Rights::Use),
            ("the buyer with a personal account", &personal, PERSONAL_ACCOUNTS, ALEX, false, Rights::Buy),
            ("another personal account", &personal, PERSONAL_ACCOUNTS, JO, true, Rights::Nothing),
            ("anybody where Microsoft names no person", &nameless, CONTOSO, ALEX, false, Rights::Look),
        ];
        for (name, snapshot, tenant_id, object_id, members, expected) in table {
            assert_eq!(rights(Identity { tenant_id, object_id }, snapshot, members), expected, "{name}");
        }
    }

    #[test]
    fn first_time_trials_remember_tenants_but_personal_accounts_by_person() {
        assert_eq!(trial_customer(&party(CONTOSO, Some(ALEX))), Some(CONTOSO.to_string()));
        let personal = trial_customer(&party(PERSONAL_ACCOUNTS, Some(ALEX)));
        assert_eq!(personal, Some(format!("{PERSONAL_ACCOUNTS}/{ALEX}")));
        assert_eq!(trial_customer(&party(PERSONAL_ACCOUNTS, None)), None);
    }
}
