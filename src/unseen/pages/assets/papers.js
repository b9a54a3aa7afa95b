// The list of papers: searched, filtered and sorted here, its state in the URL's hash so that a link can be shared.
(function () {
  "use strict";

  const form = document.querySelector("form.tools");
  const list = document.getElementById("papers");
  const shown = document.getElementById("shown");
  const clear = document.getElementById("clear");
  const none = document.getElementById("none");
  const cards = Array.from(list.children);
  const live = document.querySelector('meta[name="unseen-search"]');
  const NAMES = ["q", "axis", "status", "tier", "sort"];
  let asked = 0; // which search is the latest

  // What the hash says, by name; what it does not name is empty.
  function state() {
    const told = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(NAMES.map((name) => [name, told.get(name) || ""]));
  }

  function write(now) {
    const told = new URLSearchParams();
    for (const name of NAMES) if (now[name]) told.set(name, now[name]);
    history.replaceState(null, "", told.size ? "#" + told : location.pathname + location.search);
  }

  // The slugs that answer the query, best first; null where nothing is asked.
  async function found(query) {
    if (!query.trim()) return null;
    if (live) {
      const said = await fetch(live.content + "?q=" + encodeURIComponent(query));
      if (!said.ok) throw new Error("the server said " + said.status);
      const told = await said.json();
      return told.map((one) => (Array.isArray(one) ? one[0] : one.slug));
    }
    return unseenSearch.answer(unseenWords, query).map((pair) => pair[0]);
  }

  function has(card, now) {
    if (now.axis && !card.dataset.axes.split("|").includes(now.axis)) return false;
    const tier = now.tier ? card.getAttribute("data-tier-" + now.tier) : card.dataset.status;
    if (tier === null) return false;
    return !now.status || tier.split("|").includes(now.status);
  }

  const title = (card) => card.querySelector("h2").textContent.trim().toLowerCase();
  const newest = (a, b) => (a.dataset.when < b.dataset.when ? 1 : a.dataset.when > b.dataset.when ? -1 : a.id > b.id ? -1 : 1);
  const ORDERS = {
    "": (a, b) => b.dataset.decided - a.dataset.decided || newest(a, b),
    newest: newest,
    title: (a, b) => title(a).localeCompare(title(b)),
  };

  function order(now, hits) {
    if (hits && (!now.sort || now.sort === "closest")) return (a, b) => hits.indexOf(a.id) - hits.indexOf(b.id);
    return ORDERS[now.sort] || ORDERS[""];
  }

  async function show(now) {
    const turn = ++asked;
    let hits = null;
    try {
      hits = await found(now.q);
    } catch (error) {
      if (turn === asked) shown.textContent = "The search failed: " + error.message + ".";
      return;
    }
    if (turn !== asked) return;
    const kept = cards.filter((card) => has(card, now) && (!hits || hits.includes(card.id)));
    for (const card of cards) card.hidden = !kept.includes(card);
    list.append(...kept.sort(order(now, hits)));
    form.elements.sort.querySelector("[value=closest]").hidden = !now.q.trim();
    form.elements.sort.value = now.q.trim() ? now.sort || "closest" : now.sort === "closest" ? "" : now.sort;
    const narrowed = NAMES.some((name) => name !== "sort" && now[name]);
    const papers = (n) => n + (n === 1 ? " paper" : " papers");
    shown.textContent = narrowed ? kept.length + " of " + papers(cards.length) : papers(cards.length);
    clear.hidden = !narrowed && !now.sort;
    none.hidden = kept.length > 0;
  }

  function read() {
    const now = state();
    for (const name of NAMES) if (document.activeElement !== form.elements[name] || name !== "q") form.elements[name].value = now[name];
    for (const name of ["axis", "status", "tier"]) if (form.elements[name].selectedIndex < 0) form.elements[name].value = now[name] = "";
    return show(now);
  }

  function change() {
    const now = Object.fromEntries(NAMES.map((name) => [name, form.elements[name].value]));
    if (now.sort === "closest") now.sort = "";
    write(now);
    return show(now);
  }

  let waiting = 0;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(change, event.target.name === "q" && live ? 200 : 0);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change();
  });
  clear.addEventListener("click", () => {
    form.reset();
    change();
    form.elements.q.focus();
  });
  addEventListener("hashchange", read);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      form.elements.q.focus();
    }
  });
  form.hidden = false;
  read();
})();
