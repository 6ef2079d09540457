//! Owns what English words are to the extraction: which begin sentences, name months, follow titles. It must not hold
//! verbs (see `verbs`) or roles (see `roles`), and must not grow into a dictionary: a word belongs here when a rule
//! needs it.

use std::collections::HashMap;
use std::ops::BitOr;
use std::sync::LazyLock;

/// A set of classes that a word is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Class(u32);

impl Class {
    /// Carries grammar: pronouns, conjunctions, auxiliaries. Never part of a name, but for connectors inside one.
    pub const FUNCTION: Class = Class(1);
    /// Often begins a sentence, and is then no name.
    pub const STARTER: Class = Class(1 << 1);
    /// May stand between a subject and its verb, or after the verb, and changes nothing.
    pub const ADVERB: Class = Class(1 << 2);
    /// Articles, possessive pronouns, quantifiers: a noun follows.
    pub const DETERMINER: Class = Class(1 << 3);
    pub const PREPOSITION: Class = Class(1 << 4);
    /// Begins a clause of its own.
    pub const CONJUNCTION: Class = Class(1 << 5);
    pub const DAY: Class = Class(1 << 6);
    pub const MONTH: Class = Class(1 << 7);
    /// The adjective of a people or a language.
    pub const NATIONALITY: Class = Class(1 << 8);
    /// Stands before the name of a person.
    pub const TITLE: Class = Class(1 << 9);
    /// The legal form of a company, which its short name leaves out.
    pub const LEGAL: Class = Class(1 << 10);
    /// Ends or begins the name of an organization.
    pub const ORGANIZATION: Class = Class(1 << 11);
    /// Ends or begins the name of a place.
    pub const PLACE: Class = Class(1 << 12);
    pub const EVENT: Class = Class(1 << 13);
    /// Says what a product is: "the Falcon project".
    pub const PRODUCT: Class = Class(1 << 14);
    pub const MALE: Class = Class(1 << 15);
    pub const FEMALE: Class = Class(1 << 16);
    /// A country, state or city that is known.
    pub const KNOWN_PLACE: Class = Class(1 << 17);
    pub const KNOWN_PRODUCT: Class = Class(1 << 19);
    /// In capitals, but no name: "CEO", "FAQ".
    pub const ACRONYM: Class = Class(1 << 20);
    /// An adjective that says nothing about who or what it is.
    pub const ADJECTIVE: Class = Class(1 << 21);
    /// Is joined by "of" to what follows: "Bank of England".
    pub const OF_HEAD: Class = Class(1 << 22);
    /// Says that what follows was said; it may be true.
    pub const REPORT: Class = Class(1 << 23);
    /// Says that what follows is thought or wished; it may not be true.
    pub const BELIEF: Class = Class(1 << 24);
    /// Makes a whole sentence uncertain.
    pub const HYPOTHESIS: Class = Class(1 << 25);
    pub const NEGATION: Class = Class(1 << 26);
    pub const MODAL: Class = Class(1 << 27);
    /// Stands between the parts of a name: "Ludwig van Beethoven".
    pub const CONNECTOR: Class = Class(1 << 18);
    /// Carries the grammar of another language, and is no English word.
    pub const FOREIGN: Class = Class(1 << 28);

    pub fn has(self, other: Class) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Class {
    type Output = Class;

    fn bitor(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }
}

/// The classes of a folded word.
pub(super) fn class(folded: &str) -> Class {
    CLASSES.get(folded).copied().unwrap_or_default()
}

/// Whether a folded word is in one of the classes.
pub(super) fn is(folded: &str, classes: Class) -> bool {
    class(folded).has(classes)
}

static CLASSES: LazyLock<HashMap<&str, Class>> = LazyLock::new(|| {
    let mut classes: HashMap<&str, Class> = HashMap::new();
    for (class, words) in LISTS {
        for word in words.split_whitespace() {
            let known = classes.entry(word).or_default();
            *known = *known | *class;
        }
    }
    classes
});

const LISTS: &[(Class, &str)] = &[
    (
        Class::FUNCTION,
        "a an the this that these those i me my mine we us our ours you your yours he him his she her hers it its \
        they them their theirs himself herself itself themselves myself yourself who whom whose which what where \
        when why how and or but nor so yet if unless whether because although though while since until as than \
        then there here not no never none nothing nobody everybody everyone everything somebody someone \
        something anybody anyone anything is are was were be been being am do does did done has have had having \
        will would can could may might shall should must ought all any both each either neither every some such \
        other others another many much more most few fewer less several own same only just also too very quite \
        rather at by for from in into of off on onto out over to toward towards under up upon with within \
        without about above across after against along among around before behind below beneath beside besides \
        between beyond despite down during except inside like near outside past per through throughout via \
        versus vs isn't aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't won't wouldn't can't \
        cannot couldn't shouldn't mustn't let's i'm i've i'd i'll he's she's it's they're we're you're that's \
        there's what's who's one two three four five six seven eight nine ten once twice first second third last \
        next yes no ok okay",
    ),
    (
        Class::STARTER,
        "please thanks thank hello hi hey dear sorry congratulations welcome note notes see check remember \
        reminder add fix update use run make create remove delete ask tell call send meet read write open close \
        start stop try find get give take put set let keep look go come move buy sell pay sign visit email \
        contact invite schedule book plan discuss review prepare finish follow consider suppose imagine assume \
        say think need want however moreover furthermore therefore thus hence meanwhile otherwise instead \
        nevertheless nonetheless still additionally finally lastly firstly secondly overall generally usually \
        often sometimes always maybe perhaps possibly probably apparently allegedly reportedly today yesterday \
        tomorrow tonight now later soon recently currently previously formerly originally initially eventually \
        suddenly again already people users user customers customer clients client teams team everyone \
        management staff marketing sales support police leadership legal finance engineering research \
        development security operations hr product design work life time money business school home food music \
        history science art nature water coffee tea lunch dinner breakfast meeting meetings project projects \
        question answer problem problems issue issues data information news weather traffic rain snow summer \
        winter spring autumn morning evening night week month year day days years nothing something anything \
        everything someone others many most some few several both half new old big small good bad great long \
        short high low young early late local former current recent another different important available open \
        free total main key best better more less according based due given thanks unfortunately fortunately \
        hopefully luckily sadly interestingly surprisingly clearly obviously summary introduction conclusion \
        overview background abstract example examples figure table chapter section appendix step version minimum \
        maximum todo done warning error info debug important tip subject date from title author",
    ),
    (
        Class::ADVERB,
        "also now currently still just already always often recently officially then both once together back again \
         directly closely remotely happily there here today yesterday tomorrow later soon ever even only first finally \
         mostly mainly part-time full-time alone jointly formally initially originally previously formerly actively \
         really actually certainly definitely sometimes usually regularly frequently primarily successfully quickly \
         eventually ago home abroad downtown upstairs too very well somewhere permanently temporarily",
    ),
    (
        Class::DETERMINER,
        "a an the this that these those my our your his her its their some any another each every both all \
        several many two three four five one no",
    ),
    (
        Class::PREPOSITION,
        "at in for with to from on by as into of about under near between during after before through over against via \
         within without inside outside across around toward towards onto upon since until till despite like beside \
         behind beyond among throughout alongside",
    ),
    (
        Class::CONJUNCTION,
        "and but while because that when where although though since as so after before until once whereas yet if",
    ),
    (
        Class::DAY,
        "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays \
        saturdays sundays mon tue wed thu fri sat sun christmas easter",
    ),
    (
        Class::MONTH,
        "january february march april may june july august september october november december jan feb mar apr jun jul \
         aug sep sept oct nov dec",
    ),
    (
        Class::NATIONALITY,
        "american british english german french spanish italian portuguese dutch belgian swiss austrian swedish \
        norwegian danish finnish polish czech hungarian romanian bulgarian greek turkish russian ukrainian \
        chinese japanese korean indian pakistani indonesian vietnamese thai australian canadian mexican \
        brazilian argentinian chilean egyptian nigerian kenyan african european asian arabic hebrew hindi \
        mandarin cantonese latin irish scottish welsh israeli iranian iraqi saudi christian muslim jewish \
        catholic buddhist republican democratic western eastern",
    ),
    (
        Class::TITLE,
        "mr mrs ms mx miss dr prof professor sir dame lord lady president chancellor senator judge captain colonel \
         general king queen prince princess pope minister governor mayor rev reverend saint doctor officer detective \
         sergeant lieutenant admiral herr frau monsieur madame",
    ),
    (
        Class::LEGAL,
        "inc ltd llc corp co gmbh ag plc sa se srl bv nv oy ab pty limited incorporated corporation company kg spa",
    ),
    (
        Class::ORGANIZATION,
        "university institute college academy bank group foundation labs laboratories laboratory systems \
        technologies technology software solutions partners ventures capital holdings industries hospital clinic \
        ministry department agency bureau council committee commission association society union federation \
        league party church museum library press times post airlines airways motors club fc orchestra startup \
        firm team organization organisation school consortium alliance authority court parliament senate \
        congress army studios studio records media networks services company corporation",
    ),
    (
        Class::PLACE,
        "street avenue road boulevard square park river lake island islands mountain mountains mount valley bay \
        beach city town village county district province state station airport bridge harbor harbour port forest \
        desert ocean sea gulf castle tower hall republic kingdom peninsula cape region suburb capital country \
        neighborhood continent",
    ),
    (
        Class::EVENT,
        "conference summit meetup workshop hackathon festival symposium congress convention seminar webinar expo fair \
         olympics championship championships cup tournament marathon concert exhibition wedding party gala retreat \
         event ceremony",
    ),
    (
        Class::PRODUCT,
        "project product app application tool library framework language database platform software engine server \
        service system package module model api sdk protocol cluster plugin extension editor browser game album \
        novel book film movie song series magazine newspaper",
    ),
    (
        Class::MALE,
        "bob robert john james michael david william richard thomas charles daniel matthew mark paul steven \
        andrew peter george kevin brian edward ronald tim timothy jason jeffrey jeff frank scott eric stephen \
        steve larry justin benjamin ben jack henry adam nathan carl karl oliver lucas luke liam noah ethan mason \
        jacob joe joseph tom tim jim mike dave dan bill max felix leon hans klaus jürgen wolfgang stefan jan \
        lars erik sven pierre jean luc carlos jose juan pedro diego marco luigi giovanni ivan dmitri vladimir \
        ahmed mohammed omar ali hassan raj arjun ravi hiroshi kenji takeshi wei victor oscar trent mallory fred \
        greg harry simon philip martin antonio mario anton",
    ),
    (
        Class::FEMALE,
        "alice mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy margaret \
        sandra ashley emily emma olivia sophia isabella mia charlotte amelia anna anne ann maria julia laura \
        carol caroline christine helen diana diane rachel rebecca eve eva grace claire clara kate katherine \
        catherine amy angela michelle nicole stephanie victoria hannah lena lea marie sophie camille elena olga \
        natasha irina fatima aisha leila priya anita sunita yuki sakura mei ling ingrid astrid greta heidi \
        ursula petra monika sabine carmen lucia ana rosa teresa judy peggy joan jane janet ruth ada marta nora \
        sara zoe lucy ellen nina trudy beth betty dorothy",
    ),
    (
        Class::KNOWN_PLACE,
        "berlin hamburg munich cologne frankfurt paris lyon london manchester dublin madrid barcelona lisbon rome \
        milan vienna zurich geneva amsterdam brussels copenhagen stockholm oslo helsinki warsaw prague budapest \
        athens istanbul moscow kyiv cairo nairobi lagos dubai mumbai delhi bangalore singapore bangkok tokyo \
        osaka kyoto seoul beijing shanghai taipei sydney melbourne toronto montreal vancouver boston chicago \
        seattle denver austin houston dallas atlanta miami philadelphia oxford cambridge edinburgh",
    ),
    (
        Class::KNOWN_PLACE,
        "germany france england scotland wales ireland spain portugal italy austria switzerland netherlands \
        belgium denmark sweden norway finland poland czechia hungary romania bulgaria greece turkey russia \
        ukraine egypt nigeria kenya india pakistan china japan korea taiwan vietnam thailand indonesia australia \
        canada mexico brazil argentina chile peru usa uk us u.s. u.k. california texas florida oregon washington \
        massachusetts bavaria europe africa asia america estonia latvia lithuania croatia serbia slovenia \
        slovakia iceland israel",
    ),
    (
        Class::KNOWN_PRODUCT,
        "postgres postgresql mysql sqlite redis kafka kubernetes docker linux windows macos android ios python \
        rust java javascript typescript kotlin swift ruby php golang sql html css excel slack git github gitlab \
        jira notion figma terraform ansible nginx react django rails node.js mongodb elasticsearch spark \
        tensorflow pytorch json yaml",
    ),
    (
        Class::ACRONYM,
        "ai ml it tv pc hr pr qa ui ux ok id api url uri faq pdf asap fyi todo nb ps am pm cv vp ceo cto cfo coo \
        cio cmo svp evp phd msc bsc mba ba ma llm llms ad bc eta tbd tba rsvp gdp dna ph.d. m.d. b.a. m.a. m.sc. \
        b.sc. d.c.",
    ),
    (
        Class::ADJECTIVE,
        "new old big small good great long young early late local former current recent close best dear little large \
         senior junior chief lead principal head famous popular well-known major main own next last first second older \
         younger elder eldest twin long-time longtime longstanding good near-by nearby little-known capital retired \
         deputy vice assistant associate executive technical managing general founding independent private public \
         small-town full-time part-time",
    ),
    (
        Class::OF_HEAD,
        "university bank ministry department institute college school museum church republic kingdom state states \
        city bay gulf isle isles lake mount house board bureau office court council academy association society \
        league order battle treaty war lord journal library center centre federation union province duke game \
        games port cape sea sons daughters knights museum declaration international national royal",
    ),
    (
        Class::REPORT,
        "said says say told tells mentioned mentions reported announced announces confirmed confirms explained \
        explains noted notes added adds learned learnt revealed reveals stated states",
    ),
    (
        Class::BELIEF,
        "thinks think thought believes believe believed hopes hope hoped wishes wish wished wants want wanted \
        guesses guess guessed doubts doubt doubted suspects suspect suspected claims claim claimed assumes \
        assume assumed imagines imagine imagined rumored rumoured alleged dreams dream dreamed fears fear feared \
        denies deny denied suggests suggest suggested expects expect expected pretends pretend pretended wonders \
        wonder wondered asks asked ask rumors rumours rumor rumour plans planned hypothetically",
    ),
    (
        Class::HYPOTHESIS,
        "if unless whether suppose supposing imagine perhaps maybe possibly probably allegedly supposedly \
        hypothetically reportedly neither nor either hardly rarely lest wish",
    ),
    (
        Class::NEGATION,
        "not never n't isn't aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't hardly barely seldom",
    ),
    (
        Class::MODAL,
        "will would can could may might shall should must ought cannot won't wouldn't can't couldn't shouldn't mustn't",
    ),
    (
        Class::FOREIGN,
        "der die das und ist nicht ein eine einen einem einer mit von zu auf dem des im bei nach aus auch sich wird \
         werden sind haben wie oder le la les et est un une dans pour pas que qui sur avec sont du des au aux ce cette \
         el los las y es en por para una del como pero il di che gli della het een van niet op zijn \
         voor ook og och av som til om uma da em",
    ),
    (
        Class::CONNECTOR,
        "de van von der den la le del da di dos du bin ibn al el ten ter zu zur af",
    ),
];
