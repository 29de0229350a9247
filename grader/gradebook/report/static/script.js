"use strict";

// Everything is readable without this script. It adds the students' own pages, the search and the sorting.
// All text goes in as text: nothing here makes markup out of a string, and the page's policy forbids it.

(() => {
  const byId = (id) => document.getElementById(id);
  const index = JSON.parse(byId("index").textContent);
  const students = index.students.map(([slug, name, ids]) => ({ slug, name, ids }));
  const numberOf = new Map(students.map((student, number) => [student.slug, number]));
  const PREFIX = "#student-";

  // ---- making elements

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function isolated(name, className, text) {
    return element(name, className, element("bdi", "", text));
  }

  function link(number, className) {
    const made = isolated("a", className, students[number].name);
    made.href = PREFIX + students[number].slug;
    return made;
  }

  function bar(share) {
    const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const size = (shape, width) => {
      shape.setAttribute("width", width);
      shape.setAttribute("height", "8");
      return shape;
    };
    size(drawn, "100%").setAttribute("class", "bar");
    drawn.setAttribute("aria-hidden", "true");
    for (const [kind, width] of [["track", "100%"], ["fill", `${share}%`]]) {
      const shape = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      shape.setAttribute("class", kind);
      drawn.append(size(shape, width));
    }
    return drawn;
  }

  // What stands between backticks is code.
  function withCode(name, className, text) {
    const made = element(name, className);
    text.split(/`([^`]+)`/).forEach((part, place) => {
      made.append(place % 2 ? element("code", "", part) : part);
    });
    return made;
  }

  const say = (key, values) =>
    index.words[key].replace(/\{(\w+)\}/g, (whole, place) => String(values[place] ?? whole));

  // ---- one student's page

  let pages = null;

  function pageOf(number) {
    // Read when the first page is asked for: it is by far the larger part of the file.
    pages ??= JSON.parse(byId("pages").textContent);
    return pages.pages[number];
  }

  const text = (number) => pages.texts[number ?? 0];

  function answerOf(encoded) {
    const [title, verdict, word, score, failures = [], passed, misconception, hint, findings = []] = encoded;
    const made = element("article", `answer ${text(verdict)}`, element("h3", "", text(title)));
    made.append(
      element("p", "verdict", element("span", "word", text(word)), " ", element("span", "number", text(score))),
    );
    if (misconception) {
      const said = element("div", "diagnosis", withCode("p", "", say("looks_as_if", { what: text(misconception) })));
      if (hint) said.append(element("p", "label", index.words.hint), withCode("p", "", text(hint)));
      made.append(said);
    }
    if (failures.length) made.append(element("ul", "failures", ...failures.map(failureOf)));
    if (passed) made.append(element("p", "tests-passed", text(passed)));
    if (findings.length) {
      made.append(element("p", "label", index.words.noticed));
      made.append(element("ul", "noticed", ...findings.map((finding) => isolated("li", "", text(finding)))));
    }
    return made;
  }

  function failureOf([tests, outcome, message, lost]) {
    const name = element("span", "test-name", text(tests));
    const line = element("p", "test", name, " ", element("span", "outcome", text(outcome)));
    if (lost) line.append(" ", element("span", "lost", text(lost)));
    const made = element("li", "", line);
    if (message) made.append(isolated("p", "message", text(message)));
    return made;
  }

  function studentOf(number) {
    const [name, ids, score, facts, topics] = pageOf(number);
    const heading = isolated("h1", "", name);
    heading.tabIndex = -1;
    const header = element("header", "", heading);
    if (ids) header.append(isolated("p", "ids", ids));
    header.append(element("p", "total", text(score)));
    if (facts.length) header.append(element("ul", "facts", ...facts.map((fact) => element("li", "", text(fact)))));
    const overview = topics.map(([title, points, share]) =>
      element(
        "li",
        "",
        element("span", "topic-title", text(title)),
        bar(share ?? 0),
        element("span", "number", text(points)),
      ),
    );
    return element(
      "article",
      "student",
      header,
      element("section", "overview", element("h2", "", index.words.by_topic), element("ul", "", ...overview)),
      ...topics.map(([title, , , answers]) =>
        element("section", "topic", element("h2", "", text(title)), ...answers.map(answerOf)),
      ),
    );
  }

  function stepsOf(number) {
    const back = element("a", "back", index.words.back);
    back.href = "#topics";
    const made = element("nav", "steps", back);
    made.setAttribute("aria-label", index.words.back);
    for (const [other, word] of [[number - 1, "previous"], [number + 1, "next"]]) {
      if (!students[other]) continue;
      const step = link(other, word);
      step.prepend(`${index.words[word]}: `);
      made.append(step);
    }
    return made;
  }

  // ---- which page is shown

  const whole = byId("class");
  const single = byId("student");
  let scrolled = 0;
  let left = "";

  function show() {
    const number = location.hash.startsWith(PREFIX) ? numberOf.get(location.hash.slice(PREFIX.length)) : undefined;
    if (number === undefined) {
      if (whole.hidden) leave();
      return;
    }
    if (!whole.hidden) scrolled = window.scrollY;
    whole.hidden = true;
    single.replaceChildren(stepsOf(number), studentOf(number));
    single.hidden = false;
    left = students[number].slug;
    document.title = `${students[number].name} · ${index.title}`;
    window.scrollTo(0, 0);
    single.querySelector("h1").focus({ preventScroll: true });
  }

  function leave() {
    single.hidden = true;
    single.replaceChildren();
    whole.hidden = false;
    document.title = index.title;
    const target = location.hash.length > 1 ? byId(location.hash.slice(1)) : null;
    if (target && location.hash !== "#topics") target.scrollIntoView();
    else window.scrollTo(0, scrolled);
    const row = [...whole.querySelectorAll(".heat a")].find((name) => name.getAttribute("href") === PREFIX + left);
    if (row && location.hash === "#topics") row.focus({ preventScroll: scrolled > 0 });
  }

  window.addEventListener("hashchange", show);

  // ---- lists of names become links when they are opened

  for (const list of document.querySelectorAll("details.who")) {
    const unfold = () => {
      const names = list.querySelector("p");
      if (!list.open || !names) return;
      const links = list.dataset.who.split(" ").map((number) => element("li", "", link(Number(number))));
      names.replaceWith(element("ul", "", ...links));
    };
    list.addEventListener("toggle", unfold);
    unfold();
  }

  // ---- sorting: by the number in a cell, else by its text; what has no number comes last either way

  function keyOf(row, column) {
    const shown = row.cells[column].textContent;
    const number = parseFloat(shown);
    return column === 0 ? shown : Number.isNaN(number) ? null : number;
  }

  function sort(table, column, heading) {
    const down = heading.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[table.tBodies.length - 1];
    const rows = [...body.rows].map((row) => [keyOf(row, column), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      const order = column === 0 ? a.localeCompare(b) : a - b;
      return down ? -order : order;
    });
    body.append(...rows.map(([, row]) => row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = element("button", "", ...heading.childNodes);
      button.type = "button";
      button.addEventListener("click", () => sort(table, column, heading));
      heading.replaceChildren(button);
    });
    table.tHead.rows[0].cells[0].setAttribute("aria-sort", "ascending");
  }

  // ---- the search

  const MOST = 8;
  const box = byId("find");
  const matches = byId("matches");
  const folded = (value) => value.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const keys = students.map((student) => folded(`${student.name} ${student.ids} ${student.slug}`));

  function search() {
    const words = folded(box.value).split(/\s+/).filter(Boolean);
    const found = words.length ? keys.flatMap((key, n) => (words.every((word) => key.includes(word)) ? [n] : [])) : [];
    const left = found.length - MOST;
    const status = say("found", { n: found.length }) + (left > 0 ? `, ${say("more_found", { n: left })}` : "");
    matches.querySelector("p").textContent = words.length ? status : "";
    matches.querySelector("ul").replaceChildren(
      ...found.slice(0, MOST).map((number) => element("li", "", link(number))),
    );
    matches.hidden = !words.length;
  }

  function close() {
    matches.hidden = true;
  }

  box.addEventListener("input", search);
  box.addEventListener("focus", search);
  box.parentElement.addEventListener("keydown", (event) => {
    const links = [...matches.querySelectorAll("a")];
    const here = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && links.length) links[Math.min(here + 1, links.length - 1)].focus();
    else if (event.key === "ArrowUp" && here >= 0) (links[here - 1] ?? box).focus();
    else if (event.key === "Enter" && here < 0 && links.length) links[0].click();
    else if (event.key === "Escape") {
      box.focus();
      box.value = "";
      close();
    } else return;
    event.preventDefault();
  });
  matches.addEventListener("click", (event) => {
    if (event.target.closest("a")) close();
  });
  document.addEventListener("click", (event) => {
    if (!box.parentElement.contains(event.target)) close();
  });
  box.parentElement.hidden = false;

  // ---- on paper, what is folded away is shown, but for the lists of names

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.more:not([open])")];
    for (const folded of opened) folded.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const unfolded of opened) unfolded.open = false;
  });

  show();
  document.documentElement.dataset.ready = "";
})();
