//! The Markdown of the body of a document.

use super::*;
use crate::docx::styles::Styles;

fn read(xml: &str, notes: &[(&str, &str)]) -> String {
    let xml = format!("<w:document><w:body>{xml}</w:body></w:document>");
    let notes = notes
        .iter()
        .map(|(id, words)| ((NoteKind::Foot, (*id).to_owned()), (*words).to_owned()))
        .collect();
    let (styles, embedded) = (
        Styles::default(),
        [("e".to_owned(), "From a page.".to_owned())].into(),
    );
    let sources = Sources {
        styles: &styles,
        notes: Some(&notes),
        embedded: Some(&embedded),
    };
    Body::read(&mut xml.as_bytes(), sources).unwrap().0
}

fn text(xml: &str) -> String {
    read(xml, &[])
}

fn paragraph(properties: &str, words: &str) -> String {
    format!("<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>")
}

#[test]
fn headings_paragraphs_and_lists() {
    let item = "<w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr>";
    let inner = "<w:numPr><w:ilvl w:val='1'/><w:numId w:val='1'/></w:numPr>";
    let xml = [
        paragraph("<w:pStyle w:val='Heading2'/>", "Bread"),
        paragraph("<w:tabs><w:tab w:val='left'/></w:tabs>", "Flour &amp; water."),
        paragraph(item, "hot"),
        paragraph(inner, "very hot"),
        paragraph("", "Eat."),
    ];
    assert_eq!(
        text(&xml.concat()),
        "## Bread\n\nFlour & water.\n\n- hot\n  - very hot\n\nEat."
    );
}

#[test]
fn tables_are_rows_also_within_a_cell() {
    let cell = |inside: &str| format!("<w:tc>{inside}</w:tc>");
    let row = |cells: &str| format!("<w:tr>{cells}</w:tr>");
    let inner = format!(
        "<w:tbl>{}</w:tbl>",
        row(&(cell(&paragraph("", "x")) + &cell(&paragraph("", "y"))))
    );
    let rows = row(&(cell(&paragraph("", "a|b")) + &cell(&(paragraph("", "c") + &paragraph("", "d")))))
        + &row(&(cell("") + &cell(&inner)))
        + &row(&(cell("") + &cell("")));
    assert_eq!(
        text(&format!("<w:tbl>{rows}</w:tbl>")),
        "| a|b | c d |\n| --- | --- |\n|  | x y |"
    );
}

#[test]
fn what_was_deleted_or_is_there_twice_is_left_out() {
    let xml = "<w:p><w:r><w:t>kept </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>
               <mc:AlternateContent><mc:Choice><w:r><w:t>once</w:t></w:r></mc:Choice>
               <mc:Fallback><w:r><w:t>twice</w:t></w:r></mc:Fallback></mc:AlternateContent>
               <w:r><w:instrText>PAGE</w:instrText></w:r></w:p>";
    assert_eq!(text(xml), "kept once");
}

#[test]
fn what_is_no_text_in_the_file_is_the_text_that_it_shows() {
    for (run, shown) in [
        (
            "<w:t>x </w:t><w:sym w:font='Symbol' w:char='F0B3'/><w:t> 5</w:t>",
            "x ≥ 5",
        ),
        (
            "<w:sym w:font='Wingdings' w:char='F0FC'/><w:t>done</w:t>",
            "✓done",
        ),
        ("<w:sym w:font='Arial' w:char='0041'/>", "A"),
        (
            "<w:rPr><w:rFonts w:ascii='Symbol'/></w:rPr><w:t>a\u{F062}</w:t>",
            "αβ",
        ),
        (
            "<w:t>e</w:t><w:noBreakHyphen/><w:t>mail co</w:t><w:softHyphen/><w:t>op</w:t>",
            "e-mail coop",
        ),
        (
            "<w:t>ONE</w:t><w:cr/><w:t>TWO</w:t><w:tab/><w:t>THREE</w:t>",
            "ONE\nTWO\tTHREE",
        ),
        (
            "<w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase>\
             </w:ruby>",
            "東京",
        ),
    ] {
        assert_eq!(text(&format!("<w:p><w:r>{run}</w:r></w:p>")), shown, "{run}");
    }
}

#[test]
fn a_paragraph_whose_end_was_deleted_or_that_is_a_drop_cap_goes_on_in_the_next() {
    let deleted = "<w:rPr><w:del w:id='1'/></w:rPr>";
    let cap = "<w:framePr w:dropCap='drop' w:lines='3'/>";
    let joined = paragraph(deleted, "First half, ") + &paragraph("", "second half.");
    assert_eq!(text(&joined), "First half, second half.");
    assert_eq!(
        text(&(paragraph(cap, "D") + &paragraph("", "rop cap."))),
        "Drop cap."
    );
    assert_eq!(text(&paragraph(deleted, "Nothing follows.")), "Nothing follows.");
    let cell = format!(
        "<w:tbl><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>",
        paragraph(deleted, "in a cell")
    );
    assert_eq!(
        text(&(cell + &paragraph("", "outside"))),
        "| in a cell |\n| --- |\n\noutside"
    );
}

#[test]
fn notes_follow_their_paragraph_or_the_table_that_it_is_in() {
    let mark = "<w:r><w:footnoteReference w:id='7'/></w:r>";
    let noted = format!("<w:p><w:r><w:t>Text</w:t></w:r>{mark}<w:r><w:t> on.</w:t></w:r></w:p>");
    let notes = [("7", "The note.")];
    assert_eq!(
        read(&(noted.clone() + &paragraph("", "Next.")), &notes),
        "Text on.\n\n[1] The note.\n\nNext."
    );
    let table = format!("<w:tbl><w:tr><w:tc>{noted}</w:tc></w:tr></w:tbl>");
    assert_eq!(read(&table, &notes), "| Text on. |\n| --- |\n\n[1] The note.");
}

#[test]
fn an_embedded_document_is_where_it_was_embedded() {
    let xml = paragraph("", "Before.") + "<w:altChunk r:id='e'/>" + &paragraph("", "After.");
    assert_eq!(text(&xml), "Before.\n\nFrom a page.\n\nAfter.");
}

#[test]
fn equations_are_one_line() {
    let run = |words: &str| format!("<m:r><m:t>{words}</m:t></m:r>");
    let argument = |inside: &str| format!("<m:e>{inside}</m:e>");
    let power = format!(
        "<m:sSup>{}<m:sup>{}</m:sup></m:sSup>",
        argument(&run("x")),
        run("2")
    );
    let fraction = format!("<m:f><m:num>{power}</m:num><m:den>{}</m:den></m:f>", run("b"));
    let fenced = format!("<m:d>{}{}</m:d>", argument(&fraction), argument(&run("c")));
    let sum = format!(
        "<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{}</m:sub><m:sup/>{}</m:nary>",
        run("i"),
        argument(&run("y"))
    );
    let root = format!("<m:rad><m:deg/>{}</m:rad>", argument(&run("z")));
    let xml = format!("<w:p><m:oMath>{}{fenced}{sum}{root}</m:oMath></w:p>", run("f"));
    assert_eq!(text(&xml), "f(x^2/b|c)∑_iy√(z)");
}
