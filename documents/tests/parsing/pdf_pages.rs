//! Makes PDFs of one page or more whose glyphs are told apart: what is drawn, where, and by which font.

use std::fmt::Write;

use crate::files::{pdf, stream};

/// A page that is drawn letter by letter. Each letter is 0.6 of its size wide.
#[derive(Default)]
pub struct Page {
    letters: Vec<String>,
    content: String,
}

impl Page {
    /// Anything else that a page can hold. The font is `/F`, of the size 10 unless this says otherwise.
    pub fn raw(mut self, operators: &str) -> Self {
        self.content += operators;
        self.content.push('\n');
        self
    }

    /// A line from the left, one glyph for each character.
    pub fn line(self, x: f64, y: f64, text: &str) -> Self {
        let letters: Vec<String> = text.chars().map(String::from).collect();
        self.glyphs(x, y, &letters)
    }

    /// A line from the left, one glyph for each text.
    pub fn glyphs<T: AsRef<str>>(mut self, x: f64, y: f64, letters: &[T]) -> Self {
        let codes: String = letters
            .iter()
            .map(|letter| format!("{:02X}", self.code(letter.as_ref())))
            .collect();
        writeln!(self.content, "BT /F 10 Tf {x} {y} Td <{codes}> Tj ET").unwrap();
        self
    }

    /// A line from the right, glyph by glyph, which ends at `x`.
    pub fn right_aligned(mut self, x: f64, y: f64, text: &str) -> Self {
        for (index, letter) in text.chars().enumerate() {
            self = self.line(x - 6.0 * (index + 1) as f64, y, &letter.to_string());
        }
        self
    }

    fn code(&mut self, letter: &str) -> usize {
        let known = self.letters.iter().position(|known| known == letter);
        let index = known.unwrap_or_else(|| {
            self.letters.push(letter.to_owned());
            self.letters.len() - 1
        });
        0x21 + index
    }

    /// The file. `more` are objects from number 8.
    pub fn file(&self, resources: &str, more: &[&str]) -> Vec<u8> {
        let mut mappings = String::new();
        for (index, letter) in self.letters.iter().enumerate() {
            let units: String = letter.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
            writeln!(mappings, "<{:02X}> <{units}>", 0x21 + index).unwrap();
        }
        let cmap = format!(
            "1 begincodespacerange <00> <FF> endcodespacerange {} beginbfchar\n{mappings}endbfchar",
            self.letters.len()
        );
        let widths = "600 ".repeat(224);
        let font = format!(
            "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /FirstChar 32 /LastChar 255 /Widths [{widths}] \
             /ToUnicode 7 0 R >>"
        );
        file(
            &font,
            resources,
            &self.content,
            &[&[stream("", &cmap).as_str()], more].concat(),
        )
    }

    pub fn plain(&self) -> Vec<u8> {
        self.file("", &[])
    }
}

/// A file of one page whose font `/F` is object 6. `more` are objects from number 7.
pub fn file(font: &str, resources: &str, content: &str, more: &[&str]) -> Vec<u8> {
    let page = format!(
        "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F 6 0 R >> {resources} >> /Contents 4 0 R >>"
    );
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        &page,
        &stream("", content),
        "null",
        font,
    ];
    pdf(&[&objects, more].concat())
}

/// A composite font, object 6 and those behind it, with this encoding and collection, an embedded program, and no word
/// on what its glyphs mean.
pub fn composite(encoding: &str, ordering: &str, program: &[u8], content: &str) -> Vec<u8> {
    let [font, descendant, descriptor, program] = composite_font(encoding, ordering, program);
    file(&font, "", content, &[&descendant, &descriptor, &program])
}

/// Two pages with such a font.
pub fn two_composite_pages(program: &[u8], contents: [&str; 2]) -> Vec<u8> {
    let page = |content: u32| {
        format!(
            "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F 6 0 R >> >> /Contents {content} 0 R >>"
        )
    };
    let [font, descendant, descriptor, program] = composite_font("Identity-H", "Identity", program);
    pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R 5 0 R] /Count 2 >>",
        &page(4),
        &stream("", contents[0]),
        &page(10),
        &font,
        &descendant,
        &descriptor,
        &program,
        &stream("", contents[1]),
    ])
}

fn composite_font(encoding: &str, ordering: &str, program: &[u8]) -> [String; 4] {
    let font = format!(
        "<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Made /Encoding /{encoding} /DescendantFonts [7 0 R] >>"
    );
    let descendant = format!(
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Made /CIDToGIDMap /Identity /DW 1000 \
         /CIDSystemInfo << /Registry (Adobe) /Ordering ({ordering}) /Supplement 0 >> /FontDescriptor 8 0 R >>"
    );
    let descriptor =
        "<< /Type /FontDescriptor /FontName /ABCDEF+Made /Flags 4 /FontFile2 9 0 R >>".to_owned();
    let hex: String = program.iter().map(|byte| format!("{byte:02x}")).collect();
    let program = stream("/Filter /ASCIIHexDecode", &format!("{hex}>"));
    [font, descendant, descriptor, program]
}

/// A TrueType font of `count` glyphs, all but the first a triangle, whose table of characters is `letters`; without
/// any there is no such table.
pub fn truetype(count: u16, letters: &[(char, u16)]) -> Vec<u8> {
    let be = |values: &[u16]| {
        values
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect::<Vec<u8>>()
    };
    let triangle = [
        be(&[1, 0, 0, 500, 700, 2, 0]).as_slice(),
        &[1, 1, 1],
        &be(&[0, 500, (-250_i16).cast_unsigned(), 0, 0, 700]),
        &[0],
    ]
    .concat();
    let offsets: Vec<u16> = (0..=count)
        .map(|glyph| glyph.saturating_sub(1) * (triangle.len() as u16 / 2))
        .collect();
    let head = [
        be(&[1, 0, 1, 0, 0, 0, 0x5F0F, 0x3CF5, 0, 1000]),
        vec![0; 16],
        be(&[0, 0, 500, 700, 0, 8, 2, 0, 0]),
    ];
    let hhea = be(&[
        1,
        0,
        800,
        (-200_i16).cast_unsigned(),
        0,
        1000,
        0,
        0,
        500,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
    ]);
    let hmtx = [be(&[1000, 0]), vec![0; 2 * (usize::from(count) - 1)]].concat();
    let maxp = [be(&[1, 0, count, 3, 1, 0, 0, 1]), vec![0; 16]].concat();
    let mut tables: Vec<(&[u8; 4], Vec<u8>)> = vec![
        (b"glyf", triangle.repeat(usize::from(count) - 1)),
        (b"head", head.concat()),
        (b"hhea", hhea),
        (b"hmtx", hmtx),
        (b"loca", be(&offsets)),
        (b"maxp", maxp),
    ];
    if !letters.is_empty() {
        tables.insert(0, (b"cmap", character_table(letters)));
    }
    sfnt(&tables)
}

/// Format 12, one group a letter.
fn character_table(letters: &[(char, u16)]) -> Vec<u8> {
    let mut letters = letters.to_vec();
    letters.sort_unstable();
    let count = letters.len() as u32;
    let mut table: Vec<u32> = vec![1, (3 << 16) | 10, 12, 12 << 16, 16 + 12 * count, 0, count];
    for (letter, glyph) in letters {
        table.extend([u32::from(letter), u32::from(letter), u32::from(glyph)]);
    }
    table.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn sfnt(tables: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let count = tables.len() as u16;
    let mut header: Vec<u8> = [0, 1, 0, 0].into();
    header.extend([count, 0, 0, 0].iter().flat_map(|value| value.to_be_bytes()));
    let mut data = Vec::new();
    let begin = 12 + 16 * tables.len();
    for (tag, table) in tables {
        header.extend_from_slice(*tag);
        for value in [0, (begin + data.len()) as u32, table.len() as u32] {
            header.extend(value.to_be_bytes());
        }
        data.extend_from_slice(table);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    [header, data].concat()
}
