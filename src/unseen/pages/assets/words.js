// Which papers are about this? BM25 in Lucene's form, as unseen/pages/search.py has it, over the index in assets/index.js.
(function (root) {
  "use strict";

  // The words of a text that are searched by: folded, without the commonest, plurals as singulars.
  function terms(text, stopped) {
    const plain = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
    return (plain.match(/[a-z0-9]+/g) || []).filter((w) => !stopped.has(w)).map(singular);
  }

  function singular(w) {
    if (w.length > 4 && w.endsWith("ies") && !/[ea]ies$/.test(w)) return w.slice(0, -3) + "y";
    if (w.length > 3 && w.endsWith("es") && !/[aeo]es$/.test(w)) return w.slice(0, -1);
    if (w.length > 3 && w.endsWith("s") && !/[us]s$/.test(w)) return w.slice(0, -1);
    return w;
  }

  // The terms that a query asks for, each once; a word that no paper has stands for those that begin with it.
  function asked(index, query) {
    const found = terms(query, new Set(index.stopped)).flatMap((t) =>
      Object.hasOwn(index.terms, t) ? [t] : t.length < index.begun ? [] : Object.keys(index.terms).filter((w) => w.startsWith(t)));
    return new Set(found);
  }

  // The score of every paper.
  function scores(index, query) {
    const n = index.slugs.length;
    const mean = index.lengths.reduce((a, b) => a + b, 0) / n;
    const found = new Array(n).fill(0);
    for (const term of asked(index, query)) {
      const posted = index.terms[term];
      const df = posted.length / 2;
      const idf = Math.log(1 + (n - df + 0.5) / (df + 0.5));
      for (let i = 0; i < posted.length; i += 2) {
        const tf = posted[i + 1];
        const discount = index.k1 * (1 - index.b + (index.b * index.lengths[posted[i]]) / mean);
        found[posted[i]] += (idf * tf) / (tf + discount);
      }
    }
    return found;
  }

  // The papers that share a word with the query, best first: [slug, score], equal ones by slug.
  function answer(index, query) {
    const found = scores(index, query);
    return index.slugs
      .map((slug, i) => [slug, found[i]])
      .filter((pair) => pair[1] > 0)
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }

  root.unseenSearch = { terms, scores, answer };
})(globalThis);
