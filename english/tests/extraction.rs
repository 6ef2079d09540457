//! Relations that the rules must find, and must not find, sentence by sentence.

use zerodb_hooks_english::{Extraction, Limits, extract};

/// A text, `=>`, and all the relations that it states, in any order.
const STATED: &str = "\
Alice met Bob at the AI conference in Berlin => Alice MET Bob; Alice ATTENDED AI conference; Bob ATTENDED AI \
conference; \
    AI conference LOCATED_IN Berlin; Alice WAS_IN Berlin; Bob WAS_IN Berlin
Alice works with Bob in Berlin. => Alice WORKS_WITH Bob; Alice WORKS_IN Berlin
Alice met Bob in Berlin => Alice MET Bob; Alice WAS_IN Berlin; Bob WAS_IN Berlin
Alice and Bob moved to Berlin => Alice MOVED_TO Berlin; Bob MOVED_TO Berlin
Bob, who lives in Berlin, knows Alice. => Bob LIVES_IN Berlin; Bob KNOWS Alice
Alice works at Acme. She lives in Berlin. => Alice WORKS_AT Acme; Alice LIVES_IN Berlin
Acme Inc. was founded by Alice Smith in 2010. => Alice Smith FOUNDED Acme Inc
Alice is the CEO of Acme. => Alice CEO_OF Acme
Alice is the founder and CEO of Acme. => Alice FOUNDED Acme; Alice CEO_OF Acme
Bob was the CTO of Acme until 2019. => Bob WAS_CTO_OF Acme
Alice is a software engineer at Acme in Berlin. => Alice WORKS_AT Acme; Alice WORKS_IN Berlin
Alice works as an engineer at Acme. => Alice WORKS_AT Acme
Alice worked at Acme from 2015 to 2019. => Alice WORKED_AT Acme
Bob used to work at Acme. => Bob WORKED_AT Acme
Alice started working at Acme in 2019. => Alice WORKS_AT Acme
Mark works for Sarah. => Mark WORKS_FOR Sarah
Bob is Alice's brother. => Bob BROTHER_OF Alice
Alice's brother Bob lives in Paris. => Bob BROTHER_OF Alice; Bob LIVES_IN Paris
Alice's manager is Bob. => Bob MANAGES Alice
Bob has a sister named Carol. => Carol SISTER_OF Bob
Alice, the CEO of Acme, lives in Berlin. => Alice CEO_OF Acme; Alice LIVES_IN Berlin
Acme, based in Berlin, uses Rust and Postgres. => Acme LOCATED_IN Berlin; Acme USES Rust; Acme USES Postgres
Berlin, where Alice lives, is in Germany. => Berlin LOCATED_IN Germany; Alice LIVES_IN Berlin
Berlin is the capital of Germany. => Berlin CAPITAL_OF Germany
Kreuzberg is a district of Berlin. => Kreuzberg PART_OF Berlin
Hamburg is a city in Germany. => Hamburg LOCATED_IN Germany
Falcon is a database developed by Acme. => Acme DEVELOPED Falcon
Falcon is written in Rust and runs on Kubernetes. => Falcon WRITTEN_IN Rust; Falcon RUNS_ON Kubernetes
The Falcon project depends on Kafka. => Falcon DEPENDS_ON Kafka
Alice manages the \"Blue Whale\" project. => Alice MANAGES Blue Whale
In 2019, Alice joined Acme. => Alice JOINED Acme
In Berlin, Alice met Bob. => Alice MET Bob; Alice WAS_IN Berlin; Bob WAS_IN Berlin
Yesterday Alice called Bob and Carol. => Alice CALLED Bob; Alice CALLED Carol
Alice, Bob and Carol work at Acme. => Alice WORKS_AT Acme; Bob WORKS_AT Acme; Carol WORKS_AT Acme
Alice works at Acme and Bob works at Globex. => Alice WORKS_AT Acme; Bob WORKS_AT Globex
Alice works at Acme and lives in Berlin. => Alice WORKS_AT Acme; Alice LIVES_IN Berlin
Alice works at Acme, but she lives in Berlin. => Alice WORKS_AT Acme; Alice LIVES_IN Berlin
Dr. Maria Lopez married James Chen. => Maria Lopez MARRIED_TO James Chen
Alice and Bob are married. => Alice MARRIED_TO Bob
Alice is friends with Bob. => Alice FRIEND_OF Bob
Alice and Bob founded Acme. They moved to Berlin. => Alice FOUNDED Acme; Bob FOUNDED Acme; Alice MOVED_TO Berlin; \
    Bob MOVED_TO Berlin
Alice met Bob. He lives in Berlin. => Alice MET Bob; Bob LIVES_IN Berlin
Apple acquired Beats in 2014. It is based in California. => Apple ACQUIRED Beats; Apple LOCATED_IN California
John Smith works at IBM. Smith lives in Boston. => John Smith WORKS_AT IBM; John Smith LIVES_IN Boston
Alice was born in Hamburg and studied at the University of Heidelberg. => Alice BORN_IN Hamburg; \
    Alice STUDIED_AT University of Heidelberg
Alice moved from Paris to Berlin. => Alice MOVED_FROM Paris; Alice MOVED_TO Berlin
Alice told Bob that Carol lives in Rome. => Carol LIVES_IN Rome
Acme CEO Bob Miller visited Tokyo. => Bob Miller CEO_OF Acme; Bob Miller VISITED Tokyo
Bob is an engineer who works at Acme. => Bob WORKS_AT Acme
Kubernetes orchestrates Docker. => Kubernetes ORCHESTRATES Docker
@alice follows @bob. => @alice FOLLOWS @bob
Alice likes Bob's sister Carol. => Alice LIKES Carol; Carol SISTER_OF Bob
Ludwig van Beethoven was born in Bonn. => Ludwig van Beethoven BORN_IN Bonn
Siemens is a German company based in Munich. => Siemens LOCATED_IN Munich
Tesla, led by Elon Musk, builds cars. => Elon Musk LEADS Tesla
Bob became CEO of Acme in 2020. => Bob CEO_OF Acme
Bob was appointed CEO of Acme. => Bob CEO_OF Acme
Bob and Alice have been friends since 2001. => Bob FRIEND_OF Alice
Berlin and Hamburg are cities in Germany. => Berlin LOCATED_IN Germany; Hamburg LOCATED_IN Germany
Bob wrote that Alice lives in Rome. => Alice LIVES_IN Rome
Nina, Omar and Priya are members of the Platform team. => Nina MEMBER_OF Platform; Omar MEMBER_OF Platform; \
    Priya MEMBER_OF Platform
Stripe, a company headquartered in Dublin, was founded by John Collison. => Stripe LOCATED_IN Dublin; \
    John Collison FOUNDED Stripe
When Bob lived in Paris, he worked at Orange. => Bob LIVED_IN Paris; Bob WORKED_AT Orange
Alice has been married to Bob since 2010. => Alice MARRIED_TO Bob
Alice and Bob have known Carol since 2010. => Alice KNOWS Carol; Bob KNOWS Carol";

/// Texts that state no relation between two names, one a line.
const NOT_STATED: &str = "\
Alice does not work at Acme.
Alice no longer works at Acme.
Alice never met Bob.
Alice nearly married Bob.
Alice isn't Bob's sister.
Neither Alice nor Bob works at Acme.
Either Alice or Bob works at Acme.
If Alice moves to Berlin, Bob will join Acme.
Alice might join Acme.
Alice wants to work at Acme.
Alice is moving to Berlin.
Alice would like to visit Paris.
Bob thinks Alice works at Acme.
Bob hopes that Alice likes Rome.
It is rumored that Alice joined Acme.
Does Alice work at Acme?
Who founded Acme?
People like Alice work at Acme.
The friends of Alice and Bob moved to Berlin.
The CEO of Acme met the mayor of Berlin.
Alice met Google engineers.
Bob's startup uses Kafka.
Alice's book about Bob is great.
Please ask Alice to send the report to Bob.
Buy milk, call Bob, email Alice.
Researchers met Bob in Berlin.
Developers use Postgres.
I met Alice in Berlin.
She lives in Berlin.
Alice stopped working at Acme.
Maybe Alice knows Bob.
Rust bindings to Postgres.
Falcon is used by the Rust and Python communities.
See the AWS Client VPN guide.
Bob will become CEO of Acme.
Alice is taller than Bob.
Alice loves cooking with Bob.
Bob asked Alice to marry him.
Alice owns a house in Berlin.
We hired Alice from Acme.
ALICE WORKS AT ACME WITH BOB
How Alice Met Bob In Berlin
Alice met Carol in May on a Monday? Perhaps.
Coffee is good.
It was a long day.
alice knows bob
Der Hund von Alice ist in Berlin und die Katze auch.";

fn relations(extraction: &Extraction) -> Vec<String> {
    let name = |entity: usize| &extraction.entities[entity].name;
    extraction
        .relations
        .iter()
        .map(|fact| format!("{} {} {}", name(fact.source), fact.predicate, name(fact.target)))
        .collect()
}

#[test]
fn what_is_stated_is_found_and_nothing_else() {
    let wrong: Vec<String> = STATED
        .lines()
        .filter_map(|line| {
            let (text, expected) = line.split_once(" => ")?;
            let mut expected: Vec<&str> = expected.split(';').map(str::trim).collect();
            let mut found = relations(&extract(text, &Limits::default()));
            expected.sort_unstable();
            found.sort_unstable();
            (found != expected).then(|| format!("{text}\n  expected {expected:?}\n  found    {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(STATED.lines().count() >= 40);
}

#[test]
fn what_is_not_stated_is_not_found() {
    let wrong: Vec<String> = NOT_STATED
        .lines()
        .map(|text| (text, relations(&extract(text, &Limits::default()))))
        .filter(|(_, found)| !found.is_empty())
        .map(|(text, found)| format!("{text}: {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn forms_of_one_name_are_one_entity() {
    let found = extract(
        "Alice Smith founded Acme Inc. in 2010. Smith left Acme. Ms. Smith likes Rome.",
        &Limits::default(),
    );
    let names: Vec<(&str, &[String])> = found
        .entities
        .iter()
        .map(|entity| (entity.name.as_str(), entity.aliases.as_slice()))
        .collect();
    assert_eq!(
        names,
        [
            ("Alice Smith", &["Smith".to_owned()][..]),
            ("Acme Inc", &["Acme".to_owned()]),
            ("Rome", &[])
        ]
    );
    assert_eq!(
        relations(&found),
        [
            "Alice Smith FOUNDED Acme Inc",
            "Alice Smith LEFT Acme Inc",
            "Alice Smith LIKES Rome"
        ]
    );
    let found = extract(
        "The World Health Organization (WHO) is based in Geneva. The WHO hired Kim Lee.",
        &Limits::default(),
    );
    assert_eq!(found.entities[0].aliases, ["WHO"]);
}

#[test]
fn facts_have_words_a_time_and_a_sentence() {
    let text = "It rains. Alice has worked at Acme since March 2021. She was born in Bonn on 3 May 1985.";
    let found = extract(text, &Limits::default());
    let [works, born] = &found.relations[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (works.fact.as_str(), works.predicate.as_str()),
        ("Alice works at Acme", "WORKS_AT")
    );
    assert_eq!(
        (works.valid_at.as_deref(), works.invalid_at.as_deref()),
        (Some("2021-03-01T00:00:00Z"), None)
    );
    assert_eq!(
        &text[works.sentence.0..works.sentence.1],
        "Alice has worked at Acme since March 2021."
    );
    assert_eq!(
        (born.fact.as_str(), born.valid_at.as_deref()),
        ("Alice was born in Bonn", Some("1985-05-03T00:00:00Z"))
    );
    assert!(
        born.confidence < works.confidence,
        "a pronoun is less sure than a name"
    );
    let ended = extract("Alice worked at Acme from 2015 to 2019.", &Limits::default());
    assert_eq!(
        ended.relations[0].invalid_at.as_deref(),
        Some("2019-01-01T00:00:00Z")
    );
}

#[test]
fn one_fact_said_twice_is_one_relation() {
    let found = extract(
        "Alice works at Acme. Alice works at Acme since 2020.",
        &Limits::default(),
    );
    assert_eq!(relations(&found), ["Alice WORKS_AT Acme"]);
    assert_eq!(
        found.relations[0].valid_at.as_deref(),
        Some("2020-01-01T00:00:00Z")
    );
}

#[test]
fn limits_keep_the_surest() {
    let text = "Alice met Bob at the AI conference in Berlin";
    let found = extract(
        text,
        &Limits {
            max_entities: 20,
            max_relations: 1,
        },
    );
    assert_eq!(relations(&found), ["Alice MET Bob"]);
    assert_eq!(found.entities.len(), 4);
    let found = extract(
        text,
        &Limits {
            max_entities: 2,
            max_relations: 30,
        },
    );
    assert_eq!(relations(&found), ["Alice MET Bob"]);
    assert_eq!(
        extract(
            text,
            &Limits {
                max_entities: 0,
                max_relations: 0
            }
        ),
        Extraction::default()
    );
}
