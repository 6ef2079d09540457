//! The text of a page for a reader: its words as they stand there, with headings, lists, tables and code.

use zerodb_hooks_documents::{ChunkOptions, chunks, unguarded};

use crate::parser;

async fn text(page: &str) -> String {
    let content_type = "text/html; charset=utf-8";
    parser("parse")
        .parse(page.as_bytes(), content_type, "")
        .await
        .unwrap()
        .text
}

/// Pages and their texts.
const PAGES: &[(&str, &str, &str)] = &[
    ("a break ends a line", "<p>One.<br>Two.<br/>Three.</p><address>Main Street 5<br>Berlin</address>",
     "One.\nTwo.\nThree.\n\nMain Street 5\nBerlin"),
    ("several breaks are an empty line", "One.<br><br> <br>Two.", "One.\n\nTwo."),
    ("words are not escaped", r"<p>max_length [see 1] 5*3 #1. $5 ~ 6. C:\temp &lt;b&gt; `x` 1. a | b</p>",
     r"max_length [see 1] 5*3 #1. $5 ~ 6. C:\temp <b> `x` 1. a | b"),
    ("emphasis is no text",
     "<p>Only a <b>fragment</b> of <i>a</i> <code>page_x</code>.</p>", "Only a fragment of a page_x."),
    ("what nobody sees", "<p>Donau&shy;dampf&#8203;schiff<wbr>fahrt o&#xFB03;ce</p>", "Donaudampfschifffahrt office"),
    ("entities", "<p>Caf&eacute; &amp; cr&egrave;me &mdash; 5 &lt; 6 &hearts; &#x1F600; &unknown; &copy 2020</p>",
     "Café & crème — 5 < 6 ♥ 😀 &unknown; © 2020"),
    ("readings are beside the words", "<p>私は<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>に</p>", "私は東京に"),
    ("headings",
     "<h1>Bread</h1><p>Mix.</p><h3>Oven <b>and</b><br>stone</h3>Bake.",
     "# Bread\n\nMix.\n\n### Oven and stone\n\nBake."),
    ("content stays and what is around it goes",
     "<title> The\n page </title><style>p{}</style><script>alert(1)</script><noscript>No</noscript><svg><text>x</text>\
      </svg>
      <nav><a href='/'>Home</a></nav><h1>Bread</h1><p>Flour &amp; water.</p><ul><li>hot<li>very hot</ul>\
      <footer>Imprint</footer>",
     "# Bread\n\nFlour & water.\n\n- hot\n- very hot"),
    ("a header's headings are the page's",
     "<header><p>Site</p><h1>Bread</h1><img alt='logo'></header><p>Flour.</p>", "# Bread\n\nFlour."),
    ("the header of an article is content",
     "<article><header><h1>Bread</h1><p>By Ann</p></header><p>Flour.</p></article>",
     "# Bread\n\nBy Ann\n\nFlour."),
    ("a page that is all header", "<header><p>Only this</p></header>", "Only this"),
    ("what is not shown",
     "<p hidden>a</p><p style='color:red; display:none'>b</p><p aria-hidden=true>c</p><dialog>d</dialog>
      <p hidden=until-found>e</p><dialog open>f</dialog>", "e\n\nf"),
    ("a page that only a script shows", "<body style='visibility:hidden'><p>Words</p>", "Words"),
    ("addresses are no text",
     "<p>See <a href='https://example.com/x'>the map</a> <img src='data:abc' alt='of a town'>.</p>",
     "See the map of a town ."),
    ("lists within lists", "<ol start=3><li>a<ul><li>b<li>c</ul><li><p>d</p><p>e</p></ol><p>f</p>",
     "3. a\n  - b\n  - c\n4. d\n\n  e\n\nf"),
    ("a table of rows",
     "<table><caption>T</caption><tr><th>a<th>b</tr><tr><td>1<br>2<td><p>3</p></tr><tr><td><td></tr></table>",
     "T\n\n| a | b |\n| - | - |\n| 1 2 | 3 |"),
    ("a table of layout", "<table><tr><td><h1>News</h1><p>The office moved.</p></td><td>Menu</td></tr></table>",
     "# News\n\nThe office moved.\n\nMenu"),
    ("a table within a table",
     "<table><tr><td>Outer<table><tr><td>a</td><td>b</td></tr></table></td><td>right</td></tr></table>",
     "Outer\n\n| a | b |\n| - | - |\n\nright"),
    ("code keeps its lines", "<pre><code>if a_b &lt; 3:\n    # said\n    print(\"x\")\n</code></pre><p>b</p>",
     "```\nif a_b < 3:\n    # said\n    print(\"x\")\n```\n\nb"),
    ("preformatted words", "<pre>\nDear  all,\n\n# five\n</pre>", "Dear  all,\n\n# five"),
    (
        "XHTML",
        "<?xml version='1.0' encoding='utf-8'?><html><head><title/><script src='a'/></head><body>\
         <p>Bread.<br/>Salt.</p></body></html>",
        "Bread.\nSalt.",
    ),
    ("space between words", "<p>a\n  <b>b</b>c</p><p>  </p><p>&nbsp;</p>d", "a bc\n\nd"),
    ("definitions", "<dl><dt>Yeast<dd>Makes it rise.<dt>Salt<dd>Tastes.</dl>", "Yeast\nMakes it rise.\nSalt\nTastes."),
];

#[tokio::test]
async fn the_text_of_a_page_is_what_a_reader_reads() {
    let mut wrong = Vec::new();
    for (name, page, expected) in PAGES {
        let read = text(page).await;
        if unguarded(&read) != *expected {
            wrong.push(format!("{name}: {read:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn words_that_look_like_markdown_are_no_headings() {
    let page = "<h1>Signs</h1><p># five<br>Total<br>===</p><p>&lt;!-- so</p><p>```</p><ul><li>## six</ul><h2>More</h2>\
        <p>End.</p>";
    let read = text(page).await;
    let options = ChunkOptions {
        max_tokens: 12,
        overlap_tokens: 0,
        markdown: true,
    };
    let cut = chunks(&read, &options);
    let mut headings: Vec<&str> = cut.iter().filter_map(|chunk| chunk.heading.as_deref()).collect();
    headings.dedup();
    assert_eq!(headings, ["Signs", "Signs > More"]);
    let words: String = cut
        .iter()
        .map(|chunk| unguarded(chunk.text(&read)).into_owned() + "\n")
        .collect();
    assert!(
        words.contains("# five") && words.contains("<!-- so") && words.contains("- ## six"),
        "{words}"
    );
}

#[tokio::test]
async fn ten_megabytes_on_a_line_are_read() {
    let page = format!(
        "<p>{}<b>the last</b></p>",
        "words without a break ".repeat(470_000)
    );
    let read = text(&page).await;
    assert_eq!(read.matches("words").count(), 470_000);
    assert!(read.ends_with("break the last"));
}
