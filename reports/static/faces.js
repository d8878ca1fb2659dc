// The data of the viewer: the result of each probe under each run, and where its images are.

const OUTCOMES = [
  ["all", "all"],
  ["helped", "helped"],
  ["hurt", "hurt"],
  ["same", "as good as before"],
  ["failed", "failed"],
];
const NO_TILE = 255;

function unpack(text, Numbers) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < characters.length; i += 1) bytes[i] = characters.charCodeAt(i);
  return new Numbers(bytes.buffer);
}

class Faces {
  constructor(data) {
    this.runs = data.runs;
    this.bases = data.bases;
    this.keys = data.keys;
    this.people = data.people;
    this.measure = data.measure;
    this.labels = data.labels;
    this.total = data.keys.length;
    this.person = unpack(data.person, Int32Array);
    this.yaws = data.yaws && unpack(data.yaws, Float64Array);
    this.truths = data.truths && unpack(data.truths, Int32Array);
    this.values = data.values.map((text) => unpack(text, data.measure === "psnr" ? Float64Array : Int32Array));
    this.reasons = new Map(data.failed.map(([run, probe, at]) => [run * this.total + probe, data.reasons[at]]));
    this.slots = data.slots && unpack(data.slots, Uint8Array);
    this.inside = data.inside;
    this.folder = data.folder;
    this.width = 2 + 3 * this.runs.length;
    this.hasTruth = this.slots ? this.someSlot(1) : false;
  }

  someSlot(slot) {
    for (let at = slot; at < this.slots.length; at += this.width) if (this.slots[at] !== NO_TILE) return true;
    return false;
  }

  identity(probe) {
    return this.people[this.person[probe]];
  }

  good(run, probe) {
    const value = this.values[run][probe];
    if (this.measure === "psnr") return value;
    if (value < 0) return NaN;
    if (this.measure === "label") return Number(value === this.truths[probe]);
    return value > 0 ? 1 / value : 0;
  }

  gain(run, base, probe) {
    return this.good(run, probe) - this.good(base, probe);
  }

  outcome(run, base, probe) {
    const gain = this.gain(run, base, probe);
    return gain > 0 ? "helped" : gain < 0 ? "hurt" : gain === 0 ? "same" : "";
  }

  failure(run, probe) {
    return this.reasons.get(run * this.total + probe);
  }

  words(run, probe) {
    const value = this.values[run][probe];
    if (this.failure(run, probe) !== undefined) return "failed";
    if (this.measure === "psnr") {
      return Number.isNaN(value) ? "–" : `${value === Infinity ? "∞" : value.toFixed(2).replace("-", "−")} dB`;
    }
    if (value < 0) return "–";
    if (this.measure === "label") return value ? `predicted ${this.labels[value - 1]}` : "no prediction";
    return value ? `rank ${counted(value)}` : "no rank";
  }

  // Which tile of the probe's strip: its number, and how many there are; null where there is none.
  tile(probe, slot) {
    if (!this.slots) return null;
    const start = probe * this.width;
    const at = this.slots[start + slot];
    if (at === NO_TILE) return null;
    let last = 0;
    for (let i = start; i < start + this.width; i += 1) {
      if (this.slots[i] !== NO_TILE && this.slots[i] > last) last = this.slots[i];
    }
    return [at, last + 1];
  }

  // The output of a run; the LR face where the recogniser saw that itself.
  output(probe, run) {
    return this.tile(probe, 2 + 3 * run) || (this.values[run][probe] < 0 ? null : this.tile(probe, 0));
  }

  pictured(probe) {
    return Boolean(this.slots) && this.slots.subarray(probe * this.width, (probe + 1) * this.width).some((at) => at !== NO_TILE);
  }

  picture(probe, tile, alt) {
    if (!tile) return make("span", { className: "blank" }, "–");
    const image = make("img", { alt, decoding: "async", draggable: false });
    image.src = this.folder
      ? `${this.folder}${String(probe).padStart(6, "0")}.jpg`
      : `data:image/jpeg;base64,${this.inside[probe]}`;
    image.style.objectPosition = `${tile[1] > 1 ? (100 * tile[0]) / (tile[1] - 1) : 50}% 0`;
    return image;
  }
}
