//! The letters of glyphs for which a PDF gives none: by the Unicode table of the font's program, else by the collection
//! of characters that a composite font is drawn from (ISO 32000-1, 9.10.2). Reads fonts only when it is asked.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use hayro_interpret::font::{FontData, OutlineFontData, OutlineGlyph};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_cmap::{CMap, CMapName, CidFamily, WritingMode, load_embedded};
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Object, Stream, String as PdfString};

use super::program::letters_by_glyph;

/// More composite fonts than a document has.
const MAX_FONTS: usize = 10_000;
/// The depth of an object to which a font is looked for: the resources of a page lie in the page, its fonts in them.
const MAX_DEPTH: usize = 4;
/// The most fonts that are kept ready; a font of all Chinese letters takes about a megabyte.
const MAX_READY: usize = 64;

/// The composite fonts of a document.
pub(super) struct Composites<'pdf> {
    pdf: &'pdf Pdf,
    fonts: OnceCell<Vec<Dict<'pdf>>>,
    ready: RefCell<HashMap<(u128, bool), Rc<Tables>>>,
}

/// The properties of one font.
#[derive(Default)]
struct Tables {
    /// Whether its codes are those of the letters.
    by_code: bool,
    by_glyph: HashMap<u32, char>,
    collection: Option<Collection>,
}

/// From codes to the characters of a collection, and from those to letters.
struct Collection {
    encoding: CMap,
    letters: CMap,
}

impl<'pdf> Composites<'pdf> {
    pub(super) fn of(pdf: &'pdf Pdf) -> Self {
        Self {
            pdf,
            fonts: OnceCell::new(),
            ready: RefCell::new(HashMap::new()),
        }
    }

    /// The letters that a glyph stands for; none also for fonts whose program is of Type 1.
    pub(super) fn letters(&self, glyph: &OutlineGlyph, mode: WritingMode) -> Option<String> {
        let tables = self.tables(&glyph.font_data()?, mode == WritingMode::Vertical);
        if tables.by_code {
            return char::from_u32(glyph.char_code()).map(String::from);
        }
        let letter = tables.by_glyph.get(&glyph.glyph_id().to_u32());
        letter
            .map(char::to_string)
            .or_else(|| tables.collection.as_ref()?.letters(glyph.char_code()))
    }

    fn tables(&self, font: &OutlineFontData, vertical: bool) -> Rc<Tables> {
        let key = (font.cache_key, vertical);
        if let Some(tables) = self.ready.borrow().get(&key) {
            return Rc::clone(tables);
        }
        let tables = Rc::new(self.read(font, vertical));
        let mut ready = self.ready.borrow_mut();
        if ready.len() == MAX_READY {
            ready.clear();
        }
        ready.insert(key, Rc::clone(&tables));
        tables
    }

    fn read(&self, font: &OutlineFontData, vertical: bool) -> Tables {
        let name = font.postscript_name.as_deref();
        let fonts = self.fonts.get_or_init(|| composite_fonts(self.pdf));
        let named: Vec<_> = fonts
            .iter()
            .filter(|dict| base_name(dict).as_deref() == name)
            .collect();
        let by_code = |dict: &&&Dict<'_>| {
            dict.get::<Name<'_>>("ToUnicode")
                .is_some_and(|name| is_identity(&name))
        };
        let embedding: Vec<_> = named
            .iter()
            .filter(|dict| has_program(dict, &font.data))
            .collect();
        if embedding.is_empty() && !named.is_empty() {
            // The program is a substitute, whose glyphs are not those of the document.
            return Tables {
                by_code: named.iter().any(|dict| by_code(&dict)),
                ..Tables::default()
            };
        }
        Tables {
            by_code: embedding.iter().any(by_code),
            by_glyph: letters_by_glyph(&font.data),
            collection: of_direction(embedding.iter().filter_map(|dict| collection_of(dict)), vertical),
        }
    }
}

/// The collection of the font of that direction, if fonts share a program.
fn of_direction(collections: impl Iterator<Item = Collection>, vertical: bool) -> Option<Collection> {
    let mut other = None;
    for collection in collections {
        let is_vertical = collection.encoding.metadata().writing_mode == Some(WritingMode::Vertical);
        if is_vertical == vertical {
            return Some(collection);
        }
        other.get_or_insert(collection);
    }
    other
}

fn is_identity(name: &Name<'_>) -> bool {
    matches!(
        CMapName::from_bytes(name.as_ref()),
        CMapName::IdentityH | CMapName::IdentityV
    )
}

impl Collection {
    fn letters(&self, code: u32) -> Option<String> {
        let cid = (1..=4).find_map(|length| self.encoding.lookup_cid_code(code, length))?;
        match self.letters.lookup_bf_string(cid)? {
            BfString::Char(letter) => Some(letter.to_string()),
            BfString::String(letters) => Some(letters),
        }
    }
}

fn composite_fonts(pdf: &Pdf) -> Vec<Dict<'_>> {
    let mut found = Vec::new();
    for object in pdf.objects() {
        look_into(&object, MAX_DEPTH, &mut found);
        if found.len() >= MAX_FONTS {
            break;
        }
    }
    found
}

/// Follows no reference: what is referred to is an object of its own.
fn look_into<'pdf>(object: &Object<'pdf>, depth: usize, found: &mut Vec<Dict<'pdf>>) {
    use hayro_interpret::hayro_syntax::object::{MaybeRef, dict_or_stream};
    let Some((dict, _)) = dict_or_stream(object) else {
        return;
    };
    if dict.contains_key("DescendantFonts") {
        found.push(dict.clone());
    } else if depth > 0 {
        for (_, value) in dict.entries() {
            if let MaybeRef::NotRef(value) = value {
                look_into(&value, depth - 1, found);
            }
        }
    }
}

/// The name of a font without the mark of a subset.
fn base_name(font: &Dict<'_>) -> Option<String> {
    let name = font.get::<Name<'_>>("BaseFont")?;
    let name = name.as_str();
    Some(match name.split_once('+') {
        Some((mark, rest)) if mark.len() == 6 => rest.to_owned(),
        _ => name.to_owned(),
    })
}

fn descendant<'pdf>(font: &Dict<'pdf>) -> Option<Dict<'pdf>> {
    font.get::<Array<'_>>("DescendantFonts")?
        .iter::<Dict<'_>>()
        .next()
}

/// Whether the embedded program of a font is `data`.
fn has_program(font: &Dict<'_>, data: &FontData) -> bool {
    let embedded = || {
        let descriptor = descendant(font)?.get::<Dict<'_>>("FontDescriptor")?;
        let files = ["FontFile2", "FontFile3", "FontFile"];
        let program = files.iter().find_map(|file| descriptor.get::<Stream<'_>>(file))?;
        Some(program.decoded_data().ok()?.as_ref() == (**data).as_ref())
    };
    embedded().unwrap_or(false)
}

fn collection_of(font: &Dict<'_>) -> Option<Collection> {
    let encoding = encoding(&font.get::<Object<'_>>("Encoding")?)?;
    let declared = encoding.metadata().character_collection.as_ref();
    let family = declared
        .map(|collection| collection.family.clone())
        .filter(|family| *family != CidFamily::AdobeIdentity)
        .or_else(|| family(&descendant(font)?))?;
    let letters = CMap::parse(load_embedded(family.ucs2_cmap()?)?, load_embedded)?;
    Some(Collection { encoding, letters })
}

fn encoding(object: &Object<'_>) -> Option<CMap> {
    match object {
        Object::Name(name) => match CMapName::from_bytes(name.as_ref()) {
            CMapName::IdentityH => Some(CMap::identity_h()),
            CMapName::IdentityV => Some(CMap::identity_v()),
            name => CMap::parse(load_embedded(name)?, load_embedded),
        },
        Object::Stream(stream) => CMap::parse(&stream.decoded_data().ok()?, load_embedded),
        _ => None,
    }
}

fn family(descendant: &Dict<'_>) -> Option<CidFamily> {
    let info = descendant.get::<Dict<'_>>("CIDSystemInfo")?;
    let registry = info.get::<PdfString<'_>>("Registry")?;
    let ordering = info.get::<PdfString<'_>>("Ordering")?;
    Some(CidFamily::from_registry_ordering(&registry, &ordering))
}
