/** Bars beside each other's ratios to the first one. */
export interface BarChart {
  readonly title: string;
  /** The first one is what the others are compared with. */
  readonly bars: readonly Bar[];
  /** Where the highlighted ones are to come. */
  readonly reach?: number | undefined;
  readonly better: 'more' | 'less';
}

interface Bar {
  readonly label: string;
  readonly ratio: number;
  readonly isHighlighted: boolean;
}

const WIDTH = 720;
/** Labels stand left of it, values right of the other. */
const LEFT = 190;
const RIGHT = 650;
const TOP = 64;
const ROW = 28;
const BAR = 18;

// Readable on a white page and on a dark one, whether or not the media query is heeded.
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .note { fill: #59636e }
  .bar { fill: #8c96a0 }
  .ours { fill: #0a7d5c }
  .one { stroke: #59636e }
  .reach { stroke: #b3541e; stroke-width: 2; stroke-dasharray: 4 3 }
  .reach-label { fill: #b3541e }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note { fill: #9198a1 }
    .bar { fill: #6e7681 }
    .ours { fill: #2fbf8f }
    .one { stroke: #9198a1 }
    .reach { stroke: #f0883e }
    .reach-label { fill: #f0883e }
  }
`;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

const times = (ratio: number): string => `${ratio.toFixed(2)}×`;

/** As an SVG by itself, to be put into a page as an image. The same bars make the same text. */
export function svgOf({ title, bars, reach, better }: BarChart): string {
  const [base] = bars;
  const baseName = base?.label ?? '';
  const most = Math.max(1, reach ?? 0, ...bars.map(({ ratio }) => ratio));
  const x = (ratio: number): number => Math.round(LEFT + ((RIGHT - LEFT) * ratio) / most);
  const bottom = TOP + ROW * bars.length;
  const goal = reach === undefined ? '' : ` Holdfast is to come to ${times(reach)}.`;
  const values = bars.map(({ label, ratio }) => `${label} ${times(ratio)}`).join('; ');
  const rows = bars.flatMap(({ label, ratio, isHighlighted }, index) => {
    const y = TOP + ROW * index;
    const middle = y + BAR - 4;
    return [
      `<text x="${LEFT - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${isHighlighted ? 'ours' : 'bar'}" x="${LEFT}" y="${y}" width="${Math.max(1, x(ratio) - LEFT)}" height="${BAR}" rx="2"/>`,
      `<text x="${WIDTH - 8}" y="${middle}" text-anchor="end">${times(ratio)}</text>`,
    ];
  });
  const mark = (className: string, at: number) =>
    `<line class="${className}" x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${bottom}"/>`;
  const reachMark =
    reach === undefined
      ? []
      : [
          mark('reach', x(reach)),
          `<text class="reach-label" x="${x(reach)}" y="${bottom + 16}" text-anchor="middle">reach ${times(reach)}</text>`,
        ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 26}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(`Ratios to ${baseName}, ${better} is better: ${values}.${goal}`)}</desc>`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="8" y="22">${escaped(title)}</text>`,
    `<text class="note" x="8" y="42">${escaped(`ratio to ${baseName}; ${better} is better`)}</text>`,
    ...rows,
    mark('one', x(1)),
    ...reachMark,
    '</svg>',
    '',
  ].join('\n');
}
