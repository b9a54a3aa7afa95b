"""Listings in the shapes that arXiv writes, with papers that do not exist."""

from __future__ import annotations

from xml.sax.saxutils import escape

HOSTILE = "<script>alert(1)</script> \u202egnp.exe [a](b) é 中"
PAPERS = (
    ("2511.00101", "Length Generalization of Small Transformers in Addition with Hints", "We train small transformers on the addition of short numbers and test them on longer ones. Index hints and reversed digits let length generalization appear."),
    ("2511.00102", "Rotation Curves of Dwarf Galaxies", "We measure rotation curves of forty dwarf galaxies with a radio telescope and fit halo profiles."),
    ("2511.00103", f"Composing Skills {HOSTILE}", "Skill composition from examples: models fine-tuned on texts that combine a few skills combine more of them in new texts."),
    ("2511.00104", "A Fast Solver for Sparse Linear Systems", "We present a preconditioner for sparse linear systems that arise in fluid dynamics."),
)  # fmt: skip


def atom(*papers: tuple[str, str, str]) -> bytes:
    """What export.arxiv.org/api/query answers."""
    entries = "".join(
        f"""
  <entry>
    <id>http://arxiv.org/abs/{number}v2</id>
    <title>{escape(title.replace(" ", chr(10) + "  ", 3))}</title>
    <updated>2025-11-05T09:00:00Z</updated>
    <link href="https://arxiv.org/abs/{number}v2" rel="alternate" type="text/html"/>
    <link href="https://arxiv.org/pdf/{number}v2" rel="related" type="application/pdf" title="pdf"/>
    <summary>  {escape(summary)}
</summary>
    <category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
    <published>2025-11-03T17:58:01Z</published>
    <arxiv:comment>12 pages</arxiv:comment>
    <arxiv:primary_category term="cs.LG"/>
    <author><name>Ada One</name></author>
    <author><name>Bo Two, Jr.</name></author>
  </entry>"""
        for number, title, summary in papers or PAPERS
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/aaaaaaaaaaaaaaaaaaaaaaaaaaa</id>
  <title>arXiv Query: search_query=all:generalization&amp;id_list=&amp;start=0&amp;max_results=4</title>
  <updated>2025-11-06T00:00:00Z</updated>
  <link href="https://arxiv.org/api/query?search_query=all:generalization&amp;start=0&amp;max_results=4&amp;id_list=" type="application/atom+xml"/>
  <opensearch:itemsPerPage>4</opensearch:itemsPerPage>
  <opensearch:totalResults>4</opensearch:totalResults>
  <opensearch:startIndex>0</opensearch:startIndex>{entries}
</feed>
""".encode()


def rss(kind: str = "new", *papers: tuple[str, str, str]) -> bytes:
    """What rss.arxiv.org/rss/cs.LG answers; the last of the papers is only replaced."""
    told = papers or PAPERS
    items = "".join(
        f"""
    <item>
      <title>{escape(title)}</title>
      <link>https://arxiv.org/abs/{number}</link>
      <description>arXiv:{number}v1 Announce Type: {kind if number != told[-1][0] else "replace-cross"} 
Abstract: {escape(summary)}</description>
      <guid isPermaLink="false">oai:arXiv.org:{number}v1</guid>
      <category>cs.LG</category>
      <category>cs.CL</category>
      <pubDate>Thu, 06 Nov 2025 00:00:00 -0500</pubDate>
      <arxiv:announce_type>{kind if number != told[-1][0] else "replace-cross"}</arxiv:announce_type>
      <dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>
      <dc:creator>Ada One, Bo Two</dc:creator>
    </item>"""
        for number, title, summary in told
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" version="2.0">
  <channel>
    <title>cs.LG updates on arXiv.org</title>
    <link>http://rss.arxiv.org/rss/cs.LG</link>
    <description>cs.LG updates on the arXiv.org e-print archive.</description>
    <atom:link href="http://rss.arxiv.org/rss/cs.LG" rel="self" type="application/rss+xml"/>
    <docs>http://www.rssboard.org/rss-specification</docs>
    <language>en-us</language>
    <lastBuildDate>Thu, 06 Nov 2025 05:00:12 +0000</lastBuildDate>
    <managingEditor>rss-help@arxiv.org</managingEditor>
    <pubDate>Thu, 06 Nov 2025 00:00:00 -0500</pubDate>
    <skipDays>
      <day>Sunday</day>
      <day>Saturday</day>
    </skipDays>{items}
  </channel>
</rss>
""".encode()


def error() -> bytes:
    """What the interface answers to a number that it does not understand."""
    return b"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>arXiv Query</title><id>http://arxiv.org/api/x</id>
<entry><id>https://arxiv.org/api/errors#incorrect_id_format_for_0</id><title>Error</title>
<summary>incorrect id format for 0</summary><updated>2025-11-06T00:00:00Z</updated></entry></feed>"""
