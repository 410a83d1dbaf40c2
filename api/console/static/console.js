// Everything works without this. It adds: rows that change by themselves, forms that survive a lost line, the zone.
const say = document.getElementById("say"), words = document.body.dataset;

function tell(text, link) {
  say.textContent = text;
  if (link) {
    const a = document.createElement("a");
    a.href = link.href;
    a.textContent = link.text;
    say.append(" ", a);
  } else {
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => (say.textContent = ""), 6000);
  }
}

// The viewer's zone, for whoever has none in their record.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes("caravel_zone=")) {
  document.cookie = `caravel_zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
}

// Swap rows in place: what had the focus keeps it, what was ticked stays ticked.
function swap(row, fresh) {
  const at = document.activeElement, held = row.contains(at);
  const same = held && [...row.querySelectorAll("a,input,button")].indexOf(at);
  const ticked = row.querySelector("input[type=checkbox]")?.checked;
  row.replaceWith(fresh);
  const box = fresh.querySelector("input[type=checkbox]");
  if (box && ticked) box.checked = true;
  if (held) fresh.querySelectorAll("a,input,button")[same]?.focus();
  fresh.classList.add("fresh");
}

async function page(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error("not answered");
  return new DOMParser().parseFromString(`<table><tbody>${await answer.text()}</tbody></table>`, "text/html");
}

// The first change is shown at once; what changes while its rows are on their way is one request after it.
function collected(handle) {
  const ids = new Set();
  let busy = false;
  return async function next(id) {
    if (id) ids.add(id);
    if (busy || !ids.size) return;
    busy = true;
    await new Promise((later) => setTimeout(later, 20));
    const all = [...ids];
    ids.clear();
    await handle(all);
    setTimeout(() => { busy = false; next(); }, 200);
  };
}

const list = document.querySelector("[data-live]"), one = document.querySelector("[data-case]");

async function rowsChanged(ids) {
  const shown = ids.filter((id) => document.getElementById(id)).slice(0, 100);
  if (shown.length) {
    const fresh = await page(`${list.dataset.live}?${shown.map((id) => "case=" + encodeURIComponent(id)).join("&")}`);
    for (const id of shown) {
      const row = fresh.getElementById(id);
      if (row) swap(document.getElementById(id), row);
    }
    tell(list.dataset.changed.replace("{n}", shown.length));
  }
  if (shown.length < ids.length) tell("", { href: location.href, text: list.dataset.elsewhere });
}

function listen(handle) {
  const source = new EventSource("/stream");
  let lost = false;
  source.addEventListener("case", (event) => handle(JSON.parse(event.data)));
  source.addEventListener("error", () => { if (!lost) { lost = true; tell(words.lost); } });
  source.addEventListener("open", () => { if (lost) { lost = false; tell(words.back); } });
  addEventListener("pagehide", () => source.close());
}

if (list) {
  const changed = collected((ids) => rowsChanged(ids).catch(() => tell(words.lost)));
  listen((change) => changed(change.case));
}
if (one) {
  listen((change) => {
    if (change.case === one.dataset.case && change.version > Number(one.dataset.version)) {
      tell(one.dataset.changed, { href: location.pathname, text: one.dataset.reload });
    }
  });
}
addEventListener("pageshow", (event) => { if (event.persisted && (list || one)) location.reload(); });

// Choose all, and filters that apply themselves.
const all = document.querySelector("[data-all]");
if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of document.querySelectorAll("input[name=case]")) box.checked = all.checked;
  });
}
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", (event) => { if (event.target.matches("select, [type=checkbox]")) form.requestSubmit(); });
}

// Keys: to the next case or row and the one before, to the search, to what the keys are. Whoever does not want them
// switches them off: speech input types letters as well (WCAG 2.1.4).
const keys = document.getElementById("keys"), off = "caravel_keys_off";
function step(by) {
  const links = [...document.querySelectorAll("table.list th[scope=row] a")];
  if (!links.length) return document.querySelector(`main a[rel=${by > 0 ? "next" : "prev"}]`)?.click();
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at + (at < 0 ? Math.max(by, 0) : by), 0), links.length - 1)].focus();
}
const pressed = {
  j: () => step(1),
  k: () => step(-1),
  g: () => document.querySelector("main input[type=search]")?.focus(),
  "?": () => keys.showModal(),
};
if (keys) {
  const on = keys.querySelector("[data-keys]");
  on.checked = !localStorage.getItem(off);
  on.addEventListener("change", () => on.checked ? localStorage.removeItem(off) : localStorage.setItem(off, "1"));
  const open = document.querySelector("[data-open=keys]");
  open.hidden = false;
  open.addEventListener("click", pressed["?"]);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]),select,textarea,dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !on.checked || !pressed[event.key]) return;
    event.preventDefault();
    pressed[event.key]();
  });
}

// What a link leads to may stand in a closed group.
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();

// A form that is being recorded: sent once, kept when the line is lost, errors shown where they are.
function ready() {
  for (const form of document.querySelectorAll("form[data-send]")) form.addEventListener("submit", send);
  if (document.querySelector("[data-poll]")) setTimeout(() => poll().catch(() => { tell(words.lost); setTimeout(ready, 2000); }), 700);
  for (const form of document.querySelectorAll("form[data-travel]")) travelling(form);
  (document.getElementById("summary") || document.querySelector(".warn[tabindex]"))?.focus();
}

// A check that runs is looked at again until it has ended.
async function poll() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("main").replaceWith(fresh.getElementById("main"));
  ready();
  const result = document.querySelector(".done, .wrong");
  if (result) tell(result.textContent);
}

// The slider: its words follow at once, the page when it rests. The address is always that of the moment shown.
function travelling(form) {
  const sliders = [...form.querySelectorAll("input[type=range]")];
  for (const slider of sliders) {
    const said = () => slider.getAttribute("data-words").split("|")[slider.value];
    const speak = () => { slider.nextElementSibling.value = said(); slider.setAttribute("aria-valuetext", said()); };
    speak();
    slider.addEventListener("input", () => {
      speak();
      clearTimeout(travelling.timer);
      travelling.timer = setTimeout(() => travel(form, sliders, slider.id).catch(() => tell(words.lost)), 350);
    });
  }
}

// Each instant is written as the microseconds since the one before, in base 36 (api/console/text/times.py).
function instants(slider) {
  let sum = 0;
  return slider.dataset.instants.split(" ").filter(Boolean).map((step) => {
    sum += parseInt(step, 36);
    const below = String(sum % 1000).padStart(3, "0");
    return new Date(Math.floor(sum / 1000)).toISOString().replace("Z", `${below}Z`);
  });
}

async function travel(form, sliders, id) {
  const [known, held] = sliders.map((one) => instants(one)[one.value]);
  const query = new URLSearchParams({ ...(known && { known_at: known }), ...(held && { as_of: held }) });
  const part = held ? "facts" : form.dataset.part;
  const address = `${form.dataset.travel}${part && "/" + part}${query.size ? "?" + query : ""}`;
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) { location.assign(address); return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const place = scrollY;
  document.title = fresh.title;
  document.getElementById("main").replaceWith(fresh.getElementById("main"));
  history.replaceState(null, "", address);
  document.querySelector(".travel").open = true;
  ready();
  document.getElementById(id).focus();
  scrollTo(scrollX, place);
  const past = document.querySelector("div.past p");
  tell(past ? past.textContent : document.getElementById(id).nextElementSibling.value);
}

async function send(event) {
  event.preventDefault();
  const form = event.target, button = form.querySelector("button.main");
  button.disabled = true;
  try {
    const typed = new FormData(form, event.submitter), file = form.dataset.upload && form.elements.file?.files[0];
    if (file && file.size > Number(form.dataset.large)) {
      const { inPieces } = await import(form.dataset.script);
      typed.set("aside", await inPieces(form, file, form.querySelector(".sending")));
      typed.delete("file");
    }
    const body = form.enctype.startsWith("multipart") ? typed : new URLSearchParams(typed);
    const answer = await fetch(form.action, { method: "POST", body });
    if (answer.redirected) { location.assign(answer.url); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    document.getElementById("main").replaceWith(fresh.getElementById("main"));
    ready();
  } catch (no) {
    tell(no instanceof TypeError ? words.unsent : no.message);
  }
  button.disabled = false;
}
ready();
