// Helpers for all scripts. All text is inserted as text: nothing here parses markup.

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && name !== "list" && name !== "role") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function labelled(text, control) {
  return make("label", {}, make("span", {}, text), control);
}

function chooser(choices) {
  const select = make("select");
  for (const [value, text] of choices) select.append(make("option", { value }, text));
  return select;
}

function dataOf(id) {
  const script = document.getElementById(id);
  return script ? JSON.parse(script.textContent) : null;
}

function counted(number) {
  return number.toLocaleString("en");
}

function degrees(number) {
  return `${String(number).replace("-", "−")}°`;
}

// At most one call per animation frame.
function onceAFrame(work) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      work();
    });
  };
}
