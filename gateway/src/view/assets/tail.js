// Adds the new entries of a stream to the page. Everything from the store is set as text, never as markup.
"use strict";

(() => {
  /** The most entries that the page keeps. */
  const KEPT = 500;
  /** The time between two announcements to screen readers, in ms. */
  const QUIET = 3000;

  const tail = document.getElementById("tail");
  const list = tail.querySelector(".entries");
  const [controls, pause, live, connection, status] =
    ["controls", "pause", "live", "connection", "status"].map((id) => document.getElementById(id));
  let last = tail.dataset.last;
  let source = null;
  let received = 0;
  let announced = 0;
  let announcing = null;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const field = (dl, { name, text, label, cut }, target) => {
    const dd = element("dd");
    if (label) dd.append(element("span", "badge", label));
    if (text) dd.append(element("pre", "", text));
    if (cut) {
      const link = element("a", "", "Show all");
      link.href = target;
      link.append(element("span", "unseen", ` of ${name}`));
      const line = element("p", "cut", "\u2026 ");
      line.append(link);
      dd.append(line);
    }
    dl.append(element("dt", "", name), dd);
  };

  const item = ({ id, time, fields }) => {
    const li = element("li", "is-new");
    li.dataset.id = id;
    const target = `${tail.dataset.entry}&entry=${encodeURIComponent(id)}`;
    const line = element("p", "entry");
    const link = element("a", "key", id);
    link.href = target;
    line.append(link);
    if (time) {
      const stamp = element("time", "", time.replace("T", " ").replace("Z", " UTC"));
      stamp.dateTime = time;
      line.append(" ", stamp);
    }
    const dl = element("dl", "fields");
    for (const one of fields) field(dl, one, target);
    li.append(line, dl);
    return li;
  };

  const announce = () => {
    announcing = null;
    const count = received - announced;
    if (count === 0) return;
    announced = received;
    status.textContent = count === 1 ? "1 new entry" : `${count} new entries`;
    announcing = setTimeout(announce, QUIET);
  };

  const show = (state, isLive) => {
    connection.textContent = state;
    live.classList.toggle("is-live", isLive);
  };

  const close = () => {
    source?.close();
    source = null;
  };

  const open = () => {
    show("Connecting", false);
    source = new EventSource(`${tail.dataset.events}&after=${encodeURIComponent(last)}`);
    source.addEventListener("open", () => show("Live", true));
    source.addEventListener("error", () => {
      const isOver = source?.readyState === EventSource.CLOSED;
      show(isOver ? "Disconnected" : "Connecting again", false);
    });
    source.addEventListener("entry", (event) => {
      const entry = JSON.parse(event.data);
      last = entry.id;
      received += 1;
      list.prepend(item(entry));
      while (list.children.length > KEPT) list.lastElementChild.remove();
      announcing ??= setTimeout(announce, 200);
    });
    source.addEventListener("notice", (event) => {
      status.textContent = JSON.parse(event.data);
      if (status.textContent.includes("first one on")) {
        last = "0-0";
      } else {
        close();
        show("Ended", false);
      }
    });
  };

  // While the tail is paused, the stream keeps what comes. It is read from the last entry on.
  pause.addEventListener("click", () => {
    if (source) {
      close();
      show("Paused", false);
      pause.textContent = "Resume";
    } else {
      open();
      pause.textContent = "Pause";
    }
  });

  controls.hidden = false;
  open();
})();
