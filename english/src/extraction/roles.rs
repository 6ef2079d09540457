//! Owns the nouns that relate two entities: "the CEO of", "a sister of", "an engineer at", "a city in". It must not
//! look at sentences.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::entities::EntityType;

/// The relation between the bearer of a noun and the person or thing that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Role {
    /// "X is the N of Y" gives X–predicate→Y.
    pub predicate: &'static str,
    pub past: &'static str,
    pub bearer: EntityType,
    pub target: EntityType,
}

use EntityType::{Entity as X, Location as L, Organization as O, Person as P, Product as R};

const fn role(predicate: &'static str, past: &'static str, bearer: EntityType, target: EntityType) -> Role {
    Role {
        predicate,
        past,
        bearer,
        target,
    }
}

/// The role of a folded noun, singular or plural.
pub(super) fn role_of(noun: &str) -> Option<Role> {
    let plural = || {
        if noun.ends_with('s') {
            BY_NOUN.get(singular(noun).as_str())
        } else {
            None
        }
    };
    BY_NOUN.get(noun).or_else(plural).copied()
}

/// Asked for nearly every word of a text.
static BY_NOUN: LazyLock<HashMap<&str, Role>> = LazyLock::new(|| {
    ROLES
        .iter()
        .flat_map(|(nouns, role)| nouns.split(' ').map(|noun| (noun, *role)))
        .collect()
});

static BY_PROFESSION: LazyLock<HashSet<&str>> = LazyLock::new(|| PROFESSIONS.split_whitespace().collect());

/// "cities" is "city", "bosses" is "boss". What is no plural stays.
pub(super) fn singular(noun: &str) -> String {
    if let Some(rest) = noun.strip_suffix("ies") {
        return format!("{rest}y");
    }
    let hisses = ["sses", "shes", "ches", "xes"]
        .iter()
        .any(|ending| noun.ends_with(ending));
    let rest = if hisses {
        noun.strip_suffix("es")
    } else {
        noun.strip_suffix('s').filter(|rest| !rest.ends_with('s'))
    };
    rest.unwrap_or(noun).to_owned()
}

/// The predicate of a plural between two bearers: "Alice and Bob are friends".
pub(super) fn mutual(plural: &str) -> Option<&'static str> {
    Some(match plural {
        "married" => "MARRIED_TO",
        "engaged" => "ENGAGED_TO",
        "friends" => "FRIEND_OF",
        "colleagues" | "coworkers" | "co-workers" | "teammates" => "WORKS_WITH",
        "siblings" | "brothers" | "sisters" | "twins" => "SIBLING_OF",
        "cousins" => "COUSIN_OF",
        "neighbors" | "neighbours" => "NEIGHBOR_OF",
        "partners" => "PARTNER_OF",
        "roommates" | "flatmates" => "ROOMMATE_OF",
        _ => return None,
    })
}

/// Whether a folded noun is what somebody does: "an engineer".
pub(super) fn is_profession(noun: &str) -> bool {
    BY_PROFESSION.contains(noun)
        || noun
            .strip_suffix('s')
            .is_some_and(|noun| BY_PROFESSION.contains(noun))
}

const PROFESSIONS: &str = "engineer developer programmer designer teacher professor lecturer doctor nurse surgeon \
    lawyer judge \
    journalist reporter editor writer analyst scientist researcher consultant architect student intern apprentice \
    accountant \
    auditor chef cook baker artist painter musician singer actor actress photographer pilot driver mechanic \
    electrician \
    plumber carpenter salesperson recruiter administrator operator technician librarian translator economist physicist \
    chemist \
    biologist mathematician historian philosopher psychologist therapist pharmacist dentist veterinarian \
    police-officer \
    firefighter soldier farmer gardener waiter waitress barista cashier clerk secretary receptionist volunteer fellow \
    postdoc trainee freelancer contractor executive expert specialist advisor adviser coordinator representative \
    associate \
    planner strategist broker banker trader tester lead maintainer bartender coach trainer investor employee scholar";

/// Nouns by what they give. Where the present and the past are one, being it does not end.
const ROLES: &[(&str, Role)] = &[
    ("wife husband spouse", role("MARRIED_TO", "WAS_MARRIED_TO", P, P)),
    ("brother", role("BROTHER_OF", "BROTHER_OF", P, P)),
    ("sister", role("SISTER_OF", "SISTER_OF", P, P)),
    ("sibling twin", role("SIBLING_OF", "SIBLING_OF", P, P)),
    ("mother mom mum", role("MOTHER_OF", "MOTHER_OF", P, P)),
    ("father dad", role("FATHER_OF", "FATHER_OF", P, P)),
    ("parent", role("PARENT_OF", "PARENT_OF", P, P)),
    ("son", role("SON_OF", "SON_OF", P, P)),
    ("daughter", role("DAUGHTER_OF", "DAUGHTER_OF", P, P)),
    ("child", role("CHILD_OF", "CHILD_OF", P, P)),
    ("cousin", role("COUSIN_OF", "COUSIN_OF", P, P)),
    ("uncle", role("UNCLE_OF", "UNCLE_OF", P, P)),
    ("aunt", role("AUNT_OF", "AUNT_OF", P, P)),
    ("nephew", role("NEPHEW_OF", "NEPHEW_OF", P, P)),
    ("niece", role("NIECE_OF", "NIECE_OF", P, P)),
    (
        "grandmother grandma",
        role("GRANDMOTHER_OF", "GRANDMOTHER_OF", P, P),
    ),
    (
        "grandfather grandpa",
        role("GRANDFATHER_OF", "GRANDFATHER_OF", P, P),
    ),
    ("friend", role("FRIEND_OF", "WAS_FRIEND_OF", P, P)),
    ("girlfriend", role("GIRLFRIEND_OF", "WAS_GIRLFRIEND_OF", P, P)),
    ("boyfriend", role("BOYFRIEND_OF", "WAS_BOYFRIEND_OF", P, P)),
    ("fiance fiancee", role("ENGAGED_TO", "WAS_ENGAGED_TO", P, P)),
    ("partner", role("PARTNER_OF", "WAS_PARTNER_OF", X, X)),
    ("roommate flatmate", role("ROOMMATE_OF", "WAS_ROOMMATE_OF", P, P)),
    ("neighbor neighbour", role("NEIGHBOR_OF", "WAS_NEIGHBOR_OF", X, X)),
    (
        "colleague coworker co-worker teammate",
        role("WORKS_WITH", "WORKED_WITH", P, P),
    ),
    ("boss manager supervisor", role("MANAGES", "MANAGED", P, X)),
    ("mentor", role("MENTORS", "MENTORED", P, P)),
    ("assistant", role("ASSISTANT_OF", "WAS_ASSISTANT_OF", P, X)),
    ("founder co-founder cofounder", role("FOUNDED", "FOUNDED", P, O)),
    ("owner co-owner", role("OWNS", "OWNED", X, X)),
    ("author co-author", role("WROTE", "WROTE", P, R)),
    ("creator", role("CREATED", "CREATED", P, R)),
    ("inventor", role("INVENTED", "INVENTED", P, R)),
    ("developer", role("DEVELOPS", "DEVELOPED", X, R)),
    ("maintainer", role("MAINTAINS", "MAINTAINED", P, R)),
    ("head leader director", role("LEADS", "LED", P, O)),
    ("member", role("MEMBER_OF", "WAS_MEMBER_OF", X, O)),
    ("part", role("PART_OF", "WAS_PART_OF", X, X)),
    (
        "division branch department unit component module district suburb",
        role("PART_OF", "WAS_PART_OF", X, X),
    ),
    ("subsidiary", role("SUBSIDIARY_OF", "WAS_SUBSIDIARY_OF", O, O)),
    ("capital", role("CAPITAL_OF", "WAS_CAPITAL_OF", L, L)),
    ("resident", role("LIVES_IN", "LIVED_IN", P, L)),
    ("native", role("COMES_FROM", "COMES_FROM", P, L)),
    ("citizen", role("CITIZEN_OF", "WAS_CITIZEN_OF", P, L)),
    ("ceo", role("CEO_OF", "WAS_CEO_OF", P, O)),
    ("cto", role("CTO_OF", "WAS_CTO_OF", P, O)),
    ("cfo", role("CFO_OF", "WAS_CFO_OF", P, O)),
    ("coo", role("COO_OF", "WAS_COO_OF", P, O)),
    ("president", role("PRESIDENT_OF", "WAS_PRESIDENT_OF", P, X)),
    (
        "chair chairman chairwoman chairperson",
        role("CHAIR_OF", "WAS_CHAIR_OF", P, O),
    ),
    ("mayor", role("MAYOR_OF", "WAS_MAYOR_OF", P, L)),
    ("governor", role("GOVERNOR_OF", "WAS_GOVERNOR_OF", P, L)),
    ("chancellor", role("CHANCELLOR_OF", "WAS_CHANCELLOR_OF", P, L)),
    ("king", role("KING_OF", "WAS_KING_OF", P, L)),
    ("queen", role("QUEEN_OF", "WAS_QUEEN_OF", P, L)),
    (
        "graduate alumnus alumna",
        role("GRADUATED_FROM", "GRADUATED_FROM", P, O),
    ),
    ("employee", role("WORKS_AT", "WORKED_AT", P, O)),
    ("customer client", role("CUSTOMER_OF", "WAS_CUSTOMER_OF", X, O)),
    ("competitor rival", role("COMPETES_WITH", "COMPETED_WITH", X, X)),
    ("supplier", role("SUPPLIES", "SUPPLIED", O, O)),
    ("successor", role("SUCCEEDED", "SUCCEEDED", X, X)),
    ("student pupil", role("STUDENT_OF", "WAS_STUDENT_OF", P, X)),
    ("fan", role("FAN_OF", "WAS_FAN_OF", P, X)),
    ("user", role("USES", "USED", X, R)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_in_singular_and_plural() {
        assert_eq!(role_of("ceo").map(|role| role.predicate), Some("CEO_OF"));
        assert_eq!(role_of("founders").map(|role| role.predicate), Some("FOUNDED"));
        assert_eq!(role_of("boss").map(|role| role.predicate), Some("MANAGES"));
        assert!(role_of("banana").is_none());
        assert!(is_profession("engineers") && !is_profession("banana"));
    }
}
