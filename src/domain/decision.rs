//! What a person can decide about a charge that nothing else decides (`product.md` §4, *Reporting*). Two people, with a
//! reason.

use super::charge::State;

/// A person's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Microsoft has it.
    Accepted,
    /// It certainly never arrived: it is given up, and a new charge with the same figures is told instead.
    NotArrived,
    /// What Microsoft refused is mended; it is told again.
    ReportAgain,
    /// It is given up.
    WriteOff,
    /// It may be told.
    Release,
}

/// What becomes of the charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// It comes into this state.
    State(State),
    /// It is written off, and a correction with its figures becomes due.
    Replaced,
}

/// What else counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Its time has come.
    pub hold_is_over: bool,
    /// Microsoft takes what is told of the subscription: it runs and is paid, or it has ended (then for a day).
    pub may_be_told: bool,
    /// It is held for a person: the meter costs more than what was shown, or a withdrawal was refused.
    pub is_held_for_a_person: bool,
}

/// Why a decision is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRefused {
    /// It does not fit where the charge stands.
    #[error("a charge that is {state} cannot be resolved so; possible: {possible}")]
    NotPossible {
        /// Where it stands.
        state: &'static str,
        /// What is possible, in the words of the command line.
        possible: String,
    },
    /// One person alone, or nobody.
    #[error("two different people have to be named: who decides, and who approves")]
    OnePerson,
    /// Too short to be understood later.
    #[error("the reason has to have at least {MIN_REASON} characters")]
    NoReason,
    /// There is no such charge.
    #[error("there is no charge {0}")]
    NoCharge(uuid::Uuid),
}

/// A shorter reason explains nothing.
const MIN_REASON: usize = 10;

impl Decision {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Accepted, Self::NotArrived, Self::ReportAgain, Self::WriteOff, Self::Release];

    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::NotArrived => "not-arrived",
            Self::ReportAgain => "report-again",
            Self::WriteOff => "write-off",
            Self::Release => "release",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == word)
    }
}

/// The table: from which state which decision leads where. Nobody can shorten a hold, or have anything told of a
/// subscription that does not run.
fn outcome(decision: Decision, state: State, circumstances: Circumstances) -> Option<Becomes> {
    use {Decision as D, State as S};
    let Circumstances { hold_is_over, may_be_told, is_held_for_a_person } = circumstances;
    let becomes = match (state, decision) {
        (S::Unknown | S::Conflict | S::Frozen, D::Accepted) => S::Accepted,
        (S::Unknown | S::Conflict, D::NotArrived) => return Some(Becomes::Replaced),
        (S::Conflict | S::Rejected | S::Frozen, D::WriteOff) => S::WrittenOff,
        (S::Rejected, D::ReportAgain) => S::Due,
        (S::Frozen, D::Release) if hold_is_over && may_be_told => S::Due,
        (S::Frozen, D::Release) => S::Held,
        (S::Held, D::WriteOff) if is_held_for_a_person => S::WrittenOff,
        (S::Held, D::Release) if is_held_for_a_person && hold_is_over && may_be_told => S::Due,
        _ => return None,
    };
    Some(Becomes::State(becomes))
}

/// What a decision does.
///
/// # Errors
/// [`DecisionRefused::NotPossible`] names what can be decided instead.
pub fn decide(decision: Decision, state: State, circumstances: Circumstances) -> Result<Becomes, DecisionRefused> {
    outcome(decision, state, circumstances).ok_or_else(|| {
        let possible = Decision::ALL.into_iter().filter(|other| outcome(*other, state, circumstances).is_some());
        let possible: Vec<&str> = possible.map(Decision::as_str).collect();
        let possible = if possible.is_empty() { "nothing".to_owned() } else { possible.join(", ") };
        DecisionRefused::NotPossible { state: state.as_str(), possible }
    })
}

/// Two different people and a reason; both are trimmed.
///
/// # Errors
/// [`DecisionRefused::OnePerson`], [`DecisionRefused::NoReason`].
pub fn check_people(by: &str, approved_by: &str, reason: &str) -> Result<(), DecisionRefused> {
    let (by, approved_by) = (by.trim().to_lowercase(), approved_by.trim().to_lowercase());
    if by.is_empty() || approved_by.is_empty() || by == approved_by {
        return Err(DecisionRefused::OnePerson);
    }
    check_reason(reason)
}

/// A reason that can be understood later.
///
/// # Errors
/// [`DecisionRefused::NoReason`].
pub fn check_reason(reason: &str) -> Result<(), DecisionRefused> {
    if reason.trim().chars().count() < MIN_REASON { Err(DecisionRefused::NoReason) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RISEN: Circumstances = Circumstances { hold_is_over: true, may_be_told: true, is_held_for_a_person: true };
    const PLAIN: Circumstances = Circumstances { is_held_for_a_person: false, ..RISEN };

    /// Every pair that is not named here is refused.
    #[test]
    fn each_state_has_its_decisions() {
        use {Becomes::Replaced, Decision::*, State as S};
        let to = Becomes::State;
        let table = [
            (S::Unknown, Accepted, to(S::Accepted)),
            (S::Unknown, NotArrived, Replaced),
            (S::Conflict, Accepted, to(S::Accepted)),
            (S::Conflict, NotArrived, Replaced),
            (S::Conflict, WriteOff, to(S::WrittenOff)),
            (S::Rejected, ReportAgain, to(S::Due)),
            (S::Rejected, WriteOff, to(S::WrittenOff)),
            (S::Frozen, Accepted, to(S::Accepted)),
            (S::Frozen, WriteOff, to(S::WrittenOff)),
            (S::Frozen, Release, to(S::Due)),
        ];
        for state in State::ALL {
            for decision in Decision::ALL {
                let expected = table.iter().find(|(from, said, _)| (*from, *said) == (state, decision));
                let found = decide(decision, state, PLAIN);
                assert_eq!(found.as_ref().ok(), expected.map(|(_, _, becomes)| becomes), "{state:?} {decision:?}");
            }
        }
    }

    #[test]
    fn nobody_shortens_a_hold() {
        use {Decision::*, State as S};
        let waits = Circumstances { hold_is_over: false, ..RISEN };
        let suspended = Circumstances { may_be_told: false, ..RISEN };
        let to = |state| Ok(Becomes::State(state));
        assert_eq!(decide(Release, S::Held, RISEN), to(S::Due));
        assert_eq!(decide(WriteOff, S::Held, RISEN), to(S::WrittenOff));
        for circumstances in [waits, suspended] {
            assert_eq!(decide(Release, S::Frozen, circumstances), to(S::Held));
            let refused = decide(Release, S::Held, circumstances).unwrap_err();
            assert_eq!(refused.to_string(), "a charge that is held cannot be resolved so; possible: write-off");
        }
        assert!(decide(Release, S::Held, PLAIN).unwrap_err().to_string().ends_with("possible: nothing"));
    }

    #[test]
    fn two_people_and_a_reason() {
        let reason = "the bank confirmed it";
        assert_eq!(check_people("Jo", "Kim", reason), Ok(()));
        for (by, approved_by) in [("Jo", " jo "), ("", "Kim"), ("Jo", "  ")] {
            assert_eq!(check_people(by, approved_by, reason), Err(DecisionRefused::OnePerson), "{by} {approved_by}");
        }
        assert_eq!(check_people("Jo", "Kim", " because.. "), Err(DecisionRefused::NoReason));
    }
}
