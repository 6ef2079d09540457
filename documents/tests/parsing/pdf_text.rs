//! The text of a PDF is that which a person reads on its pages: once, in the order of reading, in letters, or not at
//! all.

use zerodb_hooks_documents::ParseError;

use crate::pdf_pages::{Page, composite, file, truetype, two_composite_pages};
use crate::{parser, refused};

async fn text(bytes: &[u8]) -> String {
    parser("parse").parse(bytes, "", "").await.unwrap().text
}

#[tokio::test]
async fn each_way_of_painting_gives_the_text_once() {
    for mode in 0..8 {
        let page = Page::default()
            .raw(&format!("{mode} Tr"))
            .line(72.0, 720.0, "The tax office opens.");
        assert_eq!(text(&page.plain()).await, "The tax office opens.", "mode {mode}");
    }
    let fill_then_stroke = Page::default()
        .raw("0 Tr")
        .line(72.0, 720.0, "opens")
        .raw("1 Tr")
        .line(72.0, 720.0, "opens")
        .line(72.0, 700.0, "opens");
    assert_eq!(text(&fill_then_stroke.plain()).await, "opens\n\nopens");
}

#[tokio::test]
async fn what_is_drawn_again_at_its_place_is_read_once() {
    for (x, y) in [(0.3, 0.0), (0.0, -0.5), (1.0, -1.0), (-0.4, 0.4)] {
        let page = Page::default()
            .line(72.0, 720.0, "hello all")
            .line(72.0 + x, 720.0 + y, "hello all");
        assert_eq!(text(&page.plain()).await, "hello all", "{x} {y}");
    }
    for same in ["ha ha ha", "1111 ....", "llll"] {
        let page = Page::default().line(72.0, 720.0, same).line(72.0, 700.0, same);
        assert_eq!(text(&page.plain()).await, format!("{same}\n\n{same}"));
    }
    let narrow = Page::default().raw("20 Tz").line(72.0, 720.0, "llll");
    assert_eq!(text(&narrow.plain()).await, "llll");
}

#[tokio::test]
async fn lines_from_right_to_left_are_read_in_their_order() {
    for (drawn, read) in [
        (".תולאש תוחתפנ", "נפתחות שאלות."),
        ("Windows 10 העשב 09:30", "09:30 בשעה Windows 10"),
        ("05.12.2024 ךיראת", "תאריך 05.12.2024"),
        ("(דרשמ) סמה", "המס (משרד)"),
        ("\u{FE94}\u{FE91}\u{FEF3}\u{FEAE}\u{FEB7}", "شريبة"),
    ] {
        let page = Page::default().line(72.0, 720.0, drawn);
        assert_eq!(text(&page.plain()).await, read);
    }
    let quoted = Page::default().line(72.0, 720.0, "The word םולש means peace.");
    assert_eq!(text(&quoted.plain()).await, "The word שלום means peace.");
}

#[tokio::test]
async fn a_line_that_is_drawn_right_aligned_stays_as_it_is() {
    let logical = Page::default().right_aligned(400.0, 720.0, "משרד המס נפתח.");
    assert_eq!(text(&logical.plain()).await, "משרד המס נפתח.");
    let by_words = Page::default()
        .line(370.0, 720.0, "דרשמ")
        .line(346.0, 720.0, "סמה")
        .line(316.0, 720.0, "חתפנ");
    assert_eq!(text(&by_words.plain()).await, "משרד המס נפתח");
    let with_a_name = Page::default()
        .line(340.0, 720.0, "PostgreSQL")
        .right_aligned(334.0, 720.0, "היא מסד");
    assert_eq!(text(&with_a_name.plain()).await, "PostgreSQL היא מסד");
}

#[tokio::test]
async fn an_embedded_font_without_names_is_read_by_its_collection() {
    let blind = truetype(3, &[]);
    for (encoding, ordering, codes, read) in [
        ("Identity-H", "Japan1", "034B034D", "あい"),
        ("Identity-V", "Japan1", "034B034D", "あい"),
        ("90ms-RKSJ-H", "Japan1", "82A082A2", "あい"),
        ("UniJIS-UTF16-H", "Japan1", "65E5672C", "日本"),
        ("UniGB-UCS2-H", "GB1", "4E2D6587", "中文"),
        ("ETen-B5-H", "CNS1", "A4A4A4E5", "中文"),
        ("KSCms-UHC-H", "Korea1", "C7D1B1DB", "한글"),
    ] {
        let content = format!("BT /F 10 Tf 300 700 Td <{codes}> Tj ET");
        let bytes = composite(encoding, ordering, &blind, &content);
        assert_eq!(text(&bytes).await, read, "{encoding}");
    }
}

#[tokio::test]
async fn an_embedded_font_without_names_is_read_by_its_own_table() {
    let seeing = truetype(4, &[('税', 1), ('⽂', 2), ('文', 2), ('\u{E001}', 3), ('字', 3)]);
    let content = "BT /F 10 Tf 300 700 Td <000100020003> Tj ET";
    let bytes = composite("Identity-H", "Identity", &seeing, content);
    assert_eq!(text(&bytes).await, "税文字");
}

#[tokio::test]
async fn codes_that_are_said_to_be_letters_are() {
    let blind = truetype(3, &[]);
    let content = "BT /F 10 Tf 300 700 Td <004F007000EB> Tj ET";
    let bytes = composite("Identity-H /ToUnicode /Identity-H", "Identity", &blind, content);
    assert_eq!(text(&bytes).await, "Opë");
}

#[tokio::test]
async fn a_substitute_for_a_font_that_is_not_embedded_says_nothing() {
    let content = "BT /F 10 Tf 300 700 Td <002900360024> Tj ET";
    let bytes = composite("Identity-H", "Identity", b"", content);
    assert_eq!(refused(&bytes, "", "").await.class(), "unreadable_document");
}

#[tokio::test]
async fn a_page_whose_glyphs_have_no_letters_is_unreadable() {
    let blind = truetype(3, &[]);
    let glyphs = "0001".repeat(30);
    let content = format!("BT /F 10 Tf 100 700 Td <{glyphs}> Tj ET");
    let bytes = composite("Identity-H", "Identity", &blind, &content);
    let error = refused(&bytes, "", "a.pdf").await;
    let expected = ParseError::UnreadableDocument {
        page: 1,
        unknown: 30,
        glyphs: 30,
    };
    assert_eq!((error, error.class()), (expected, "unreadable_document"));
    assert_eq!(
        error.to_string(),
        "the document is unreadable: its fonts name no letter for 30 of the 30 glyphs of page 1"
    );
    let twice = composite("Identity-H", "Identity", &blind, &format!("2 Tr {content}"));
    assert_eq!(refused(&twice, "", "a.pdf").await, expected);
    assert!(error.is_permanent());
}

#[tokio::test]
async fn a_page_that_cannot_be_read_costs_no_other() {
    let some = truetype(3, &[('a', 2)]);
    let page = |glyphs: String| format!("BT /F 10 Tf 100 700 Td <{glyphs}> Tj ET");
    let (readable, unreadable) = (page("0002".repeat(40)), page("0001".repeat(25) + "0002"));
    let letters = "a".repeat(40);
    let notice = "[Page 2 cannot be read: its fonts name no letter for 25 of its 26 glyphs.]";
    let bytes = two_composite_pages(&some, [&readable, &unreadable]);
    assert_eq!(text(&bytes).await, format!("{letters}\n\na\n\n{notice}"));
    let more = page("0001".repeat(50));
    let bytes = two_composite_pages(&some, [&readable, &more]);
    let error = refused(&bytes, "", "a.pdf").await;
    assert!(
        error.to_string().ends_with("50 of the 50 glyphs of page 2"),
        "{error}"
    );
}

#[tokio::test]
async fn a_few_glyphs_without_letters_do_not_make_a_page_unreadable() {
    let some = truetype(3, &[('a', 2)]);
    let content = format!("BT /F 10 Tf 100 700 Td <0001{}0001> Tj ET", "0002".repeat(3));
    let bytes = composite("Identity-H", "Identity", &some, &content);
    assert_eq!(text(&bytes).await, "aaa");
    let spaces = composite(
        "Identity-H",
        "Identity",
        &some,
        "BT /F 10 Tf 100 700 Td <000200000002> Tj ET",
    );
    assert_eq!(text(&spaces).await, "a a");
}

#[tokio::test]
async fn the_text_that_a_document_gives_for_its_glyphs_counts() {
    let said = |text: &str| format!("/Span << /ActualText ({text}) >> BDC");
    let other = Page::default()
        .line(72.0, 720.0, "the ")
        .raw(&said("office"))
        .line(96.0, 720.0, "0ff|ce")
        .raw("EMC")
        .line(132.0, 720.0, " opens");
    assert_eq!(text(&other.plain()).await, "the office opens");
    let never_closed = Page::default().raw(&said("x")).line(72.0, 720.0, "opens");
    assert_eq!(text(&never_closed.plain()).await, "opens");
    let empty = Page::default()
        .raw(&said(""))
        .line(72.0, 720.0, "opens")
        .raw("EMC");
    assert_eq!(text(&empty.plain()).await, "opens");
    let picture = Page::default()
        .line(72.0, 720.0, "before")
        .raw(&format!("{} 0 0 9 9 re f EMC", said("drawn by lines")))
        .line(72.0, 700.0, "after");
    assert_eq!(text(&picture.plain()).await, "before\n\ndrawn by lines\n\nafter");
    let nested = Page::default()
        .raw(&said("outer"))
        .raw(&said("inner"))
        .line(72.0, 720.0, "xxxxx")
        .raw("EMC EMC")
        .line(72.0, 700.0, "after");
    assert_eq!(text(&nested.plain()).await, "outer\n\nafter");
}

#[tokio::test]
async fn a_word_that_the_end_of_a_line_divides_is_one_word() {
    for (first, second, read) in [
        ("a small infor-", "mation office", "a small information office"),
        ("Donaudampf\u{AD}", "schiff", "Donaudampfschiff"),
        ("Donau\u{AD}dampf", "schiff", "Donaudampf\nschiff"),
        ("Anglo-", "American", "Anglo-\nAmerican"),
        ("1990-", "1995", "1990-\n1995"),
        ("and so -", "on", "and so -\non"),
    ] {
        let page = Page::default().line(72.0, 720.0, first).line(72.0, 708.0, second);
        assert_eq!(text(&page.plain()).await, read);
    }
    let paragraphs = Page::default()
        .line(72.0, 720.0, "infor-")
        .line(72.0, 690.0, "mation");
    assert_eq!(text(&paragraphs.plain()).await, "infor-\n\nmation");
}

#[tokio::test]
async fn ligatures_are_the_letters_that_they_join() {
    let page = Page::default().glyphs(72.0, 720.0, &["o", "ﬃ", "c", "e", " ", "ﬁ", "n", "d"]);
    assert_eq!(text(&page.plain()).await, "office find");
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Courier \
                /Encoding << /Differences [65 /f_f_i /ffi /fl /uniFB00 /Aogonek] >> >>";
    let named = file(font, "", "BT /F 10 Tf 72 720 Td (A B C D E) Tj ET", &[]);
    assert_eq!(text(&named).await, "ffi ffi fl ff Ą");
}

#[tokio::test]
async fn a_column_of_ideographs_is_a_line() {
    let drawn = "縦書き".chars().zip([720.0, 710.0, 700.0]);
    let page = drawn.fold(Page::default(), |page, (letter, y)| {
        page.line(300.0, y, &letter.to_string())
    });
    assert_eq!(text(&page.plain()).await, "縦書き");
    let latin = Page::default().line(300.0, 720.0, "a").line(300.0, 710.0, "b");
    assert_eq!(text(&latin.plain()).await, "a\nb");
}

#[tokio::test]
async fn a_page_that_is_turned_reads_the_same() {
    for matrix in ["0 1 -1 0", "0 -1 1 0", "-1 0 0 -1", "0.7 0.7 -0.7 0.7"] {
        let page = Page::default()
            .raw(&format!("{matrix} 300 300 cm"))
            .line(0.0, 20.0, "two words")
            .line(0.0, 8.0, "one more")
            .line(0.0, -4.0, "םולש");
        assert_eq!(text(&page.plain()).await, "two words\none more\nשלום", "{matrix}");
    }
}

#[tokio::test]
async fn fonts_of_drawings_are_read_by_the_names_of_their_glyphs_or_their_codes() {
    let drawing = crate::files::stream("", "600 0 0 0 500 700 d1 0 0 500 700 re f");
    for (names, read) in [("/a /b", "aba"), ("/g1 /g2", "ABA"), ("/f_i /uni00E9", "fiéfi")] {
        let procs: String = names.split(' ').map(|name| format!("{name} 7 0 R ")).collect();
        let font = format!(
            "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 500 700] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 65 \
             /LastChar 66 /Widths [600 600] /CharProcs << {procs} >> /Encoding << /Differences [65 {names}] >> >>"
        );
        let bytes = file(&font, "", "BT /F 10 Tf 72 720 Td (ABA) Tj ET", &[&drawing]);
        assert_eq!(text(&bytes).await, read);
    }
}
