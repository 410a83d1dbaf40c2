// A large file goes in pieces and goes on after a cut, also when its page was left. Without this it goes with its form.
const PIECE = 4 * 1024 * 1024, TRIES = 8;

// The same file for the same form has the same key, so that what came of it before is found again.
async function keyOf(form, file, address) {
  if (!crypto.subtle) return form.elements.key.value; // a page that is not secure; then it goes on in this page only
  const told = new TextEncoder().encode([address, file.name, file.size, file.lastModified].join("\n"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", told));
  return [...digest].map((one) => one.toString(16).padStart(2, "0")).join("");
}

// A TypeError, as of a line that is lost, where another try may help; any other refusal is said to whoever looks.
async function asked(address, options) {
  const answer = await fetch(address, options), again = options.method === "PATCH" ? [404, 409] : [];
  if (answer.status >= 500 || again.includes(answer.status)) throw new TypeError("not now");
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

export async function inPieces(form, file, place) {
  const bar = place.querySelector("progress"), said = place.querySelector("span"), item = form.elements.item?.value;
  const address = `${form.dataset.upload}&${new URLSearchParams(item ? { item } : {})}`;
  const headers = {
    "Idempotency-Key": await keyOf(form, file, address), "Upload-Length": String(file.size),
    "Content-Disposition": `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
  };
  if (file.type) headers["Content-Type"] = file.type;
  let known = null, cuts = 0;
  place.hidden = false;
  while (!known?.aside) {
    try {
      known = known
        ? await asked(known.upload, {
            method: "PATCH", headers: { "Upload-Offset": String(known.offset) },
            body: file.slice(known.offset, known.offset + PIECE),
          })
        : await asked(address, { method: "POST", headers });
      bar.value = known.aside ? 1 : known.offset / file.size;
      said.textContent = place.dataset.sent.replace("{n}", Math.floor(100 * bar.value));
      if (known.upload && bar.value) cuts = 0;
    } catch (no) {
      if (!(no instanceof TypeError) || cuts++ >= TRIES) throw no;
      known = null; // begun again with the same words it goes on where it ended
      said.textContent = place.dataset.again;
      await new Promise((later) => setTimeout(later, Math.min(250 * 2 ** cuts, 15000)));
    }
  }
  return known.aside;
}
