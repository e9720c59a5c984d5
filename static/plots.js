// Draws every <figure data-plot> from the JSON that its data-from names, in the colours of the theme.
// Plotly stands on the page as a deferred script, which has run before this module does.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// light-dark() cannot be read from a variable; an element that uses it tells the colour in force.
const probe = document.createElement("i");
probe.hidden = true;
document.body.append(probe);
function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function layout(extra) {
  return {
    font: { family: css("--font"), size: 13, color: colour("--ink") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 8, r: 12, t: 8, b: 36 },
    hoverlabel: { bgcolor: colour("--sheet"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, xanchor: "left" },
    ...extra,
  };
}
const axis = (extra) => ({ gridcolor: colour("--line"), linecolor: colour("--line"), zeroline: false, automargin: true, fixedrange: true, ...extra });
const percent = (value) => (value === null || value === undefined ? null : 100 * value);

function series(one, names, shade, symbol) {
  const values = one.value.map(percent);
  return {
    type: "scatter", mode: "markers", name: one.name, x: values, y: names,
    marker: { color: shade, size: 10, symbol },
    error_x: {
      type: "data", symmetric: false, color: shade, thickness: 1.6, width: 5,
      array: one.high.map((high, i) => (high === null ? 0 : percent(high) - values[i])),
      arrayminus: one.low.map((low, i) => (low === null ? 0 : values[i] - percent(low))),
    },
    hovertemplate: "%{x:.1f}%<extra>%{fullData.name}</extra>",
  };
}

// Shapes differ as well as colours: the plot reads without colour.
const MARKS = { base: ["--ink-2", "circle-open"], control: ["--ink-2", "circle-dot"], student: ["--accent", "circle"], teacher: ["--warn", "diamond"] };
const MORE = ["circle", "square", "triangle-up", "star", "cross", "hexagon"];
const MORE_TEACHERS = ["diamond", "diamond-open", "x", "triangle-down"];

// Models of one part stand on lines of their own below its name, so that intervals do not cover
// each other: the place on the axis is the part's number and a step for each model.
function accuracy(data) {
  const count = data.models.length;
  const step = 0.72 / Math.max(count, 1);
  const seen = {};
  const traces = data.models.map((model, place) => {
    const number = (seen[model.role] = (seen[model.role] ?? -1) + 1);
    const [shade, symbol] = MARKS[model.role] ?? MARKS.base;
    const shapes = model.role === "teacher" ? MORE_TEACHERS : model.role === "student" ? MORE : [symbol];
    const heights = data.parts.map((_, part) => part + (place - (count - 1) / 2) * step);
    const trace = series(model, heights, colour(shade), shapes[number % shapes.length]);
    trace.customdata = data.parts;
    trace.hovertemplate = "%{x:.1f}%<br>%{customdata}<extra>%{fullData.name}</extra>";
    return trace;
  });
  const edges = data.parts.slice(1).map((_, i) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: i + 0.5, y1: i + 0.5, line: { color: colour("--line"), width: 1 } }));
  return [traces, layout({
    height: 90 + data.parts.length * Math.max(56, 20 * count),
    shapes: edges,
    xaxis: axis({ range: [-2, 102], ticksuffix: "%" }),
    yaxis: axis({ tickvals: data.parts.map((_, i) => i), ticktext: data.parts.map(wrap), range: [data.parts.length - 0.5, -0.5], showgrid: false }),
  })];
}

const wrap = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/(.{10,22}?)\s/g, "$1<br>");

function curation(data) {
  const looks = { approved: ["--good", "circle"], unfiltered: ["--ink-2", "circle-open"] };
  const traces = data.series.map((one, place) => {
    const [shade, symbol] = looks[one.name] ?? MARKS.base;
    return series(one, data.teachers.map((_, i) => i + (place - 0.5) * 0.3), colour(shade), symbol);
  });
  return [traces, layout({
    height: 130 + data.teachers.length * 70,
    xaxis: axis({ ticksuffix: "%", rangemode: "tozero" }),
    yaxis: axis({ tickvals: data.teachers.map((_, i) => i), ticktext: data.teachers.map(wrap), range: [data.teachers.length - 0.5, -0.5], showgrid: false }),
  })];
}

const KINDS = { accuracy, curation };

function draw() {
  for (const figure of document.querySelectorAll("figure[data-plot]")) {
    const source = document.getElementById(figure.dataset.from);
    if (!source) continue;
    if (!window.Plotly) {
      figure.textContent = "The plot cannot be drawn; the tables hold its figures.";
      continue;
    }
    const [traces, shape] = KINDS[figure.dataset.plot](JSON.parse(source.textContent));
    figure.querySelector("p")?.remove();
    window.Plotly.react(figure, traces, shape, { displayModeBar: false, responsive: true });
  }
}

draw();
document.addEventListener("theme", draw);
