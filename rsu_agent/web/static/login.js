// Who is in: a button in the header, a form, and the word of the server on who may what.
import { ask, setText, state } from "/static/state.js";
import { say } from "/static/words.js";

const TOUCH_MS = 60_000; // the server lets go whom nobody has touched for a quarter of an hour
const $ = (id) => document.getElementById(id);
let touchedAt = 0;
let entered = () => {};

export async function showSession() { // true: this browser may look
  const answer = await ask("session");
  if (answer.ok) state.session = answer.told;
  const session = state.session ?? {};
  $("who").hidden = !session.accounts;
  setText($("who"), session.name ? say("log_out", session.name) : say("log_in"));
  const must = answer.ok && !session.open && !session.name;
  if (must && !$("login").open) $("login").showModal();
  return !must;
}

export function buildLogin(begin) {
  entered = begin;
  $("who").addEventListener("click", async () => {
    if (!state.session?.name) { $("login").showModal(); return; }
    await ask("logout", {});
    if (!state.session.open) location.reload(); else await showSession();
  });
  $("login").querySelector("form").addEventListener("submit", enter);
  $("login-close").addEventListener("click", () => $("login").close());
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, touch);
}

async function enter(event) {
  event.preventDefault();
  const form = event.target;
  const answer = await ask("login", { name: form.elements.name.value, password: form.elements.password.value });
  form.elements.password.value = "";
  const left = answer.told.left_s;
  setText($("login-told"), answer.ok ? "" : answer.told.error === "locked" ? say("locked", left) : answer.told.error === "wrong" ? say("wrong_password") : answer.told.error);
  if (!answer.ok) return;
  $("login").close();
  const before = state.session?.open;
  if (before) await showSession(); else entered();
}

async function touch() {
  if (!state.session?.name || performance.now() - touchedAt < TOUCH_MS) return;
  touchedAt = performance.now();
  await showSession();
}
