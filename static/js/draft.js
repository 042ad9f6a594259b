// Stores what the applicant typed on this device until it is sent: one draft per job, for at most
// thirty days. Files and choices are not stored, and drafts do not leave the device.
//
// It also makes a random key for each job. The form sends it, so that a second try, the back button
// or a reload gets the receipt of the first try. It is kept for thirty days, also after sending.

const PREFIX = "careers:draft:";
const SENDER = "careers:sender:";
const SENT = "careers:sent";
const LIFE = 30 * 24 * 60 * 60 * 1000;
const REST = 400;
const KEPT = "textarea, input:is([type=text], [type=email], [type=tel], [type=url], [type=date])";

// If the browser refuses to store anything, there are no drafts, and nothing else changes.
function quietly(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

const read = (job) =>
  quietly(() => {
    const draft = JSON.parse(localStorage.getItem(PREFIX + job));
    return Date.now() - draft.at < LIFE ? draft.values : null;
  });

const write = (job, values) =>
  quietly(() => {
    localStorage.setItem(PREFIX + job, JSON.stringify({ at: Date.now(), values }));
    return true;
  });

const forget = (job) => quietly(() => localStorage.removeItem(PREFIX + job));

const readSender = (job) =>
  quietly(() => {
    const sender = JSON.parse(localStorage.getItem(SENDER + job));
    return Date.now() - sender.at < LIFE ? sender.key : null;
  });

// Not crypto.randomUUID(): browsers have it on https pages only.
function newSender(job) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  quietly(() => localStorage.setItem(SENDER + job, JSON.stringify({ at: Date.now(), key })));
  return key;
}

function forgetOld() {
  for (const key of Object.keys(localStorage)) {
    const isOld =
      (key.startsWith(PREFIX) && !read(key.slice(PREFIX.length))) ||
      (key.startsWith(SENDER) && !readSender(key.slice(SENDER.length)));
    if (isOld) localStorage.removeItem(key);
  }
}

function forgetSent() {
  const job = sessionStorage.getItem(SENT);
  if (job !== null) forget(job);
  sessionStorage.removeItem(SENT);
}

function keep(form) {
  const job = form.dataset.draft;
  const fields = [...form.querySelectorAll(KEPT)].filter((field) => field.tabIndex >= 0);
  const notice = form.querySelector("[data-draft-notice]");
  const saved = form.querySelector("[data-draft-saved-notice]");
  const sender = document.createElement("input");
  sender.type = "hidden";
  sender.name = "sender";
  form.append(sender);
  let rest;

  const forgetButton = () => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain-button";
    button.textContent = form.dataset.draftForget;
    button.addEventListener("click", () => {
      clearTimeout(rest);
      forget(job);
      quietly(() => localStorage.removeItem(SENDER + job));
      sender.value = "";
      for (const field of fields) field.value = "";
      saved.hidden = true;
      notice.hidden = false;
      notice.replaceChildren(form.dataset.draftForgotten);
      fields[0]?.focus();
    });
    return button;
  };

  const say = (place, words) => {
    const text = document.createElement("span");
    text.textContent = words;
    place.hidden = false;
    place.replaceChildren(text, " ", forgetButton());
  };

  const save = () => {
    clearTimeout(rest);
    const filled = fields.filter((field) => field.value.trim());
    const values = Object.fromEntries(filled.map((field) => [field.name, field.value]));
    if (!filled.length) {
      forget(job);
    } else if (write(job, values) && saved.hidden) {
      say(saved, form.dataset.draftSaved);
    }
  };

  // If the server returned the form with answers, these are newer than the draft.
  const draft = "answered" in form.dataset ? null : read(job);
  if (draft) {
    const empty = fields.filter((field) => !field.value && draft[field.name]);
    for (const field of empty) {
      field.value = draft[field.name];
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (empty.length) say(notice, form.dataset.draftRestored);
  }

  form.addEventListener("input", (event) => {
    if (!fields.includes(event.target)) return;
    clearTimeout(rest);
    rest = setTimeout(save, REST);
  });
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    save();
    sender.value = readSender(job) || sender.value || newSender(job);
    quietly(() => sessionStorage.setItem(SENT, job));
  });
}

quietly(forgetOld);
// The receipt: the application was sent, so its draft is deleted.
if (document.querySelector("[data-received]")) quietly(forgetSent);
for (const form of document.querySelectorAll("form[data-draft]")) keep(form);
