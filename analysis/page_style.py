"""How the report page looks: light and dark, on paper and on a phone."""

STYLE = """
:root { color-scheme: light dark; --page: #fbfbf9; --ink: #1d2126; --quiet: #636b74; --rule: #d9dcdf; --soft: #f0f1ef;
  --link: #0b5e94; --good: #3b7f6b; --bad: #b3401f; --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
  "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (prefers-color-scheme: dark) { :root { --page: #15181c; --ink: #e4e6e8; --quiet: #98a1ab; --rule: #32383f;
  --soft: #1e2227; --link: #7fbce6; --good: #63b39b; --bad: #e58a68; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 70rem; padding: clamp(1.5rem, 5vw, 4.5rem) clamp(1.1rem, 4vw, 3rem);
  color: var(--ink); background: var(--page); font: 1rem/1.6 var(--sans); }
h1, h2, h3 { line-height: 1.2; font-weight: 650; letter-spacing: -.012em; text-wrap: balance; margin: 0; }
h1 { font-size: clamp(1.7rem, 4vw, 2.4rem); }
h2 { font-size: clamp(1.35rem, 3vw, 1.75rem); }
h3 { font-size: 1.05rem; }
h1 span, h2 span { display: block; margin-top: .35rem; color: var(--quiet); font-weight: 400; font-size: .62em;
  line-height: 1.4; letter-spacing: 0; }
h1 span { font-size: .55em; }
a { color: var(--link); text-underline-offset: .18em; text-decoration-thickness: 1px; }
code, pre { font: .84em/1.5 var(--mono); }
nav ul { list-style: none; margin: 1.6rem 0 0; padding: 0; }
nav li { padding: .2rem 0; }
nav small { margin-left: .5rem; color: var(--quiet); }
section { margin-top: clamp(2rem, 5vw, 3.5rem); padding-top: clamp(1.8rem, 4vw, 2.8rem);
  border-top: 1px solid var(--rule); }
.kicker { margin: 0 0 .6rem; color: var(--quiet); font-size: .85rem; }
.lead { max-width: 44rem; margin: 1.1rem 0 0; }
.note, .files { max-width: 44rem; color: var(--quiet); font-size: .9rem; margin: 1.6rem 0 0; }
.files { margin-top: 2rem; overflow-wrap: anywhere; }
pre { padding: 1rem 1.2rem; background: var(--soft); border-radius: .4rem; overflow-x: auto; }
.progress { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem 1rem; margin: 1.6rem 0 0; font-size: .9rem;
  color: var(--quiet); font-variant-numeric: tabular-nums; }
.bar { display: flex; width: 11rem; height: .4rem; border-radius: .2rem; background: var(--rule); overflow: hidden; }
.bar i { background: var(--good); } .bar b { background: var(--bad); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.8rem; margin: 1.8rem 0 0;
  padding: 1.3rem 1.5rem; background: var(--soft); border-radius: .5rem; font-size: .875rem; line-height: 1.5; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.facts code { display: inline-block; margin-right: 1.4em; }
.facts code span { color: var(--quiet); }
.scroll { margin-top: 2.2rem; overflow-x: auto; }
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; }
table { border-collapse: collapse; min-width: 100%; font-size: .94rem; line-height: 1.4;
  font-variant-numeric: tabular-nums lining-nums; }
caption { padding-bottom: .9rem; text-align: left; color: var(--quiet); font-size: .875rem; }
caption strong { margin-right: .6rem; color: var(--ink); font-size: 1rem; font-weight: 600; }
th, td { padding: .6rem 0 .6rem 1.5rem; text-align: right; vertical-align: top; white-space: nowrap; }
thead th { border-top: 1.5px solid var(--ink); border-bottom: 1px solid var(--quiet); font-weight: 600; }
.accuracy thead th { white-space: normal; max-width: 9.5rem; text-wrap: balance; }
tbody tr + tr > * { border-top: 1px solid var(--rule); }
tbody tr:last-child > * { border-bottom: 1.5px solid var(--ink); }
tr > :first-child { position: sticky; left: 0; padding: .6rem .8rem .6rem 0; text-align: left;
  background: var(--page); }
tbody th { font-weight: 500; }
th small, td small { display: block; color: var(--quiet); font-weight: 400; font-size: .8rem; }
td strong { font-weight: 700; }
td.empty, .control > * { color: var(--quiet); }
.half { display: inline-block; min-width: 3.5rem; padding-left: .35em; color: var(--quiet); font-size: .84em;
  text-align: left; }
small .half { margin-right: -.3em; }
.accuracy th + *, .accuracy td { position: relative; }
.accuracy tr > :not(:first-child) { padding-right: .5rem; padding-left: 1rem; }
sup { line-height: 1; font-size: .75em; color: var(--bad); font-weight: 400; }
td sup { position: absolute; top: .6rem; right: 0; }
.marks { list-style: none; margin: .8rem 0 0; padding: 0; color: var(--quiet); font-size: .875rem; }
.marks sup { margin-right: .3em; }
.words { text-align: left; white-space: normal; min-width: 9rem; }
.plain { font-size: .875rem; }
figure { margin: 0; min-width: 36rem; color: var(--ink); }
figure svg { display: block; width: 100%; height: auto; }
figure svg text { font-family: var(--sans) !important; }
details { margin-top: 1.4rem; border-top: 1px solid var(--rule); padding-top: 1.1rem; }
details + details { margin-top: 1.1rem; }
summary { cursor: pointer; font-weight: 600; }
details[open] { padding-bottom: 1.4rem; }
details .scroll, details .note { margin-top: 1.2rem; }
.failures { margin-top: 2.4rem; }
.failures > ul { list-style: none; margin: .8rem 0 0; padding: 0 0 0 1.1rem; border-left: 3px solid var(--bad);
  font-size: .9rem; overflow-wrap: anywhere; }
.failures > ul > li + li { margin-top: 1.2rem; }
.failures li ul { list-style: none; margin: .3rem 0 0; padding: 0; }
.failures code { margin-left: .6rem; color: var(--quiet); }
.failures strong { font-weight: 600; }
@media (max-width: 40rem) {
  .facts { grid-template-columns: 1fr; gap: .1rem; padding: 1rem 1.1rem; } .facts dd + dt { margin-top: .7rem; }
  th, td { padding-left: 1.1rem; } table { font-size: .9rem; } caption strong { display: block; }
  caption { position: sticky; left: 0; max-width: 86vw; white-space: normal; }
}
@media print {
  :root { --page: #fff; --ink: #000; --quiet: #444; --rule: #bbb; --soft: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; } .facts { border: 1px solid var(--rule); }
  .scroll { overflow: visible; } figure, tr, .facts { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } nav, .files { display: none; }
}
"""
