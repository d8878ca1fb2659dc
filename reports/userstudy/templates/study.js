
(function () {
  "use strict";
  const study = JSON.parse(document.getElementById("study").textContent);
  const at = (id) => document.getElementById(id);
  const sections = ["start", "ask", "done"].map(at);
  const store = storage();
  let answers = null;
  let place = 0;
  let shownAt = 0;

  function storage() {
    try {
      window.localStorage.setItem("bench-study-try", "1");
      window.localStorage.removeItem("bench-study-try");
      return window.localStorage;
    } catch (error) {
      at("storage").hidden = false;
      return null;
    }
  }

  function scheduleOf(code, count) {
    if (/^[0-9]{1,9}$/.test(code)) return Number(code) % count;
    let found = 0x811c9dc5;
    for (const character of code) found = Math.imul(found ^ character.charCodeAt(0), 0x01000193) >>> 0;
    return found % count;
  }

  function show(section) {
    for (const one of sections) one.hidden = one !== section;
  }

  function schedule() {
    return study.schedules[answers.schedule];
  }

  function question() {
    return study.questions[schedule().questions[place]];
  }

  function letters() {
    return schedule().places[schedule().questions[place]];
  }

  function begin(code) {
    const name = "bench-study:" + study.digest + ":" + code;
    answers = {
      format: study.format,
      version: study.version,
      page: study.digest,
      participant: code,
      schedule: scheduleOf(code, study.schedules.length),
      methods: study.methods,
      started: new Date().toISOString(),
      finished: null,
      answers: {},
      name: name,
    };
    try {
      const kept = store && JSON.parse(store.getItem(name));
      if (kept && kept.page === study.digest && kept.schedule === answers.schedule) answers = kept;
    } catch (error) {
      // what was kept is damaged: a new start
    }
    const open = schedule().questions.findIndex((index) => !(study.questions[index].id in answers.answers));
    place = open < 0 ? study.questions.length - 1 : open;
    if (open < 0) thank();
    else ask();
  }

  function keep() {
    try {
      if (store) store.setItem(answers.name, JSON.stringify(answers));
    } catch (error) {
      at("storage").hidden = false;
    }
  }

  function ask() {
    const asked = question();
    const given = answers.answers[asked.id];
    at("where").textContent = "Question " + (place + 1) + " of " + study.questions.length;
    at("progress").value = done();
    at("lr").src = asked.lr;
    at("truth").src = asked.truth;
    const options = at("options");
    options.textContent = "";
    [...letters()].forEach((letter, index) => {
      const button = document.createElement("button");
      const image = document.createElement("img");
      const caption = document.createElement("span");
      button.type = "button";
      button.className = "option";
      button.setAttribute("aria-pressed", String(Boolean(given) && given.choice === letter));
      image.src = asked.options[letter];
      image.alt = "reconstruction " + (index + 1);
      caption.textContent = String(index + 1);
      button.append(image, caption);
      button.addEventListener("click", () => pick(index));
      options.append(button);
    });
    at("back").disabled = place === 0;
    at("next").disabled = place === study.questions.length - 1;
    shownAt = Date.now();
    show(at("ask"));
    at("where").focus();
  }

  function done() {
    return Object.values(answers.answers).filter((answer) => answer.choice !== null).length;
  }

  function pick(index) {
    const letter = index === null ? null : letters()[index];
    if (letter === undefined) return;
    const seconds = Math.round((Date.now() - shownAt) / 100) / 10;
    answers.answers[question().id] = { choice: letter, place: index, seconds: seconds };
    keep();
    move(1);
  }

  function move(step) {
    if (place + step >= study.questions.length) return finish();
    place = Math.max(0, place + step);
    ask();
  }

  function finish() {
    answers.finished = new Date().toISOString();
    keep();
    thank();
  }

  function thank() {
    at("summary").textContent = done() + " of " + study.questions.length + " questions answered.";
    at("text").value = text();
    show(at("done"));
    at("thanks").focus();
  }

  function text() {
    const listed = schedule().questions.map((index) => {
      const id = study.questions[index].id;
      return Object.assign({ question: id }, answers.answers[id] || { choice: null, place: null, seconds: null });
    });
    const { name, ...rest } = answers;
    return JSON.stringify(Object.assign(rest, { answers: listed }), null, 1) + "\n";
  }

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text()], { type: "application/json" }));
    link.download = "answers-" + answers.participant + ".json";
    document.body.append(link);
    link.click();
    link.remove();
  }

  at("enter").addEventListener("submit", (event) => {
    event.preventDefault();
    const code = at("code").value.trim();
    if (/^[A-Za-z0-9_-]{1,32}$/.test(code)) begin(code);
  });
  at("generate").addEventListener("click", () => {
    const bytes = crypto.getRandomValues(new Uint8Array(10));
    const letters = "abcdefghijkmnpqrstuvwxyz23456789";
    at("code").value = Array.from(bytes, (byte) => letters[byte % letters.length]).join("");
  });
  at("back").addEventListener("click", () => move(-1));
  at("next").addEventListener("click", () => move(1));
  at("skip").addEventListener("click", () => pick(null));
  at("finish").addEventListener("click", finish);
  at("save").addEventListener("click", save);
  at("again").addEventListener("click", ask);
  document.addEventListener("keydown", (event) => {
    if (at("ask").hidden || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^[1-9]$/.test(event.key) && Number(event.key) <= study.methods) pick(Number(event.key) - 1);
    else if (event.key === "0") pick(null);
    else if (event.key === "ArrowLeft" && place > 0) move(-1);
    else if (event.key === "ArrowRight" && place < study.questions.length - 1) move(1);
    else return;
    event.preventDefault();
  });
})();
