import { byId, svg } from './dom.js';

type Point = readonly [x: number, y: number];
type Curve = readonly [Point, Point, Point, Point];

/** The drawing is so many units high; its width follows from the place it gets. */
const HEIGHT = 200;
const NARROW = 800;
const LEAF_EVERY = 56;
const MAX_DOTS = 12;
const MAX_PULSES = 8;

const between = ([ax, ay]: Point, [bx, by]: Point, t: number): Point => [
  ax + (bx - ax) * t,
  ay + (by - ay) * t,
];

/** Both halves of a curve (de Casteljau). */
function split([a, b, c, d]: Curve): readonly [Curve, Curve] {
  const [ab, bc, cd] = [between(a, b, 0.5), between(b, c, 0.5), between(c, d, 0.5)];
  const [abc, bcd] = [between(ab, bc, 0.5), between(bc, cd, 0.5)];
  const middle = between(abc, bcd, 0.5);
  return [
    [a, ab, abc, middle],
    [middle, bcd, cd, d],
  ];
}

function at([a, b, c, d]: Curve, t: number): { point: Point; angle: number } {
  const [ab, bc, cd] = [between(a, b, t), between(b, c, t), between(c, d, t)];
  const [from, to] = [between(ab, bc, t), between(bc, cd, t)];
  const angle = (Math.atan2(to[1] - from[1], to[0] - from[0]) * 180) / Math.PI;
  return { point: between(from, to, t), angle };
}

const pathOf = ([a, ...rest]: Curve): string =>
  `M${a.join(' ')}C${rest.map((point) => point.join(' ')).join(' ')}`;

/** Draws one half of the strand: its stem, and leaves on both sides by turns, smaller towards the ends. */
function drawHalf(group: SVGElement, half: Curve, flip: 1 | -1): void {
  const [[ax, ay], , , [dx, dy]] = half;
  const leaves = Math.max(3, Math.round(Math.hypot(dx - ax, dy - ay) / LEAF_EVERY));
  const shapes = Array.from({ length: leaves }, (_, index) => {
    const t = (index + 0.8) / (leaves + 0.4);
    const { point, angle } = at(half, t);
    const side = index % 2 === 0 ? flip : -flip;
    const size = 0.7 + 0.4 * Math.sin(Math.PI * t);
    return svg('path', {
      class: 'strand-leaf',
      d: 'M0 0C10-13 32-14 46-2 32 8 12 10 0 0Z',
      transform: `translate(${point.join(' ')}) rotate(${(angle + side * 42).toFixed(1)}) scale(${size.toFixed(2)} ${(side * size).toFixed(2)})`,
    });
  });
  group.replaceChildren(svg('path', { class: 'strand-stem', d: pathOf(half) }), ...shapes);
}

/** The drawing of the connection. What state it is in is a matter of the style sheet. */
export class SceneView {
  readonly #drawing = byId('scene', SVGSVGElement);
  readonly #near = byId('strand-near', SVGGElement);
  readonly #far = byId('strand-far', SVGGElement);
  readonly #pulses = byId('pulses', SVGGElement);
  readonly #dots = byId('outbox-dots', SVGGElement);
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #path = '';

  constructor() {
    new ResizeObserver(() => this.#layOut()).observe(this.#drawing);
    this.#layOut();
  }

  /** A message travels along the strand. */
  pulse(direction: 'in' | 'out'): void {
    if (this.#calm.matches || document.hidden || this.#pulses.childElementCount >= MAX_PULSES) return;
    const pulse = svg('circle', { class: `pulse pulse-${direction}`, r: 6 });
    pulse.style.setProperty('offset-path', `path("${this.#path}")`);
    pulse.addEventListener('animationend', () => pulse.remove());
    this.#pulses.append(pulse);
  }

  /** What waits in the outbox lies beside the float, a bead each. */
  showWaiting(messages: number): void {
    const wanted = Math.min(messages, MAX_DOTS);
    while (this.#dots.childElementCount > wanted) this.#dots.lastElementChild?.remove();
    while (this.#dots.childElementCount < wanted) {
      const index = this.#dots.childElementCount;
      const [column, row] = [index % 4, Math.floor(index / 4)];
      this.#dots.append(svg('circle', { cx: -40 - column * 17, cy: 74 + row * 17, r: 6.5 }));
    }
  }

  /** Float and rock keep their size and their distance from the edges; the strand bridges what is between. */
  #layOut(): void {
    const { width, height } = this.#drawing.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    const units = (width / height) * HEIGHT;
    const narrow = units < NARROW;
    const float: Point = [narrow ? 124 : 190, 62];
    const rock: Point = [units - (narrow ? 124 : 200), 144];
    const span = rock[0] - float[0];
    const strand: Curve = [float, [float[0] + span * 0.27, 222], [float[0] + span * 0.65, 28], rock];
    this.#path = pathOf(strand);
    const [near, far] = split(strand);
    drawHalf(this.#near, near, 1);
    drawHalf(this.#far, far, -1);
    // Where the halves turn when the strand tears, and how far until their ends reach the ground.
    byId('strand', SVGGElement).style.setProperty(
      '--tear',
      `${((Math.atan(130 / span) * 180) / Math.PI).toFixed(1)}deg`,
    );
    this.#near.style.transformOrigin = `${float[0]}px ${float[1]}px`;
    this.#far.style.transformOrigin = `${rock[0]}px ${rock[1]}px`;
    this.#drawing.setAttribute('viewBox', `0 0 ${units.toFixed(1)} ${HEIGHT}`);
    byId('float', SVGGElement).setAttribute('transform', `translate(${float[0]} 0)`);
    for (const id of ['rock', 'roots'])
      byId(id, SVGGraphicsElement).setAttribute('transform', `translate(${rock[0]} 0)`);
    byId('weeds', SVGPathElement).setAttribute('d', weeds(units));
    this.#label('label-near', [float[0] + 36, 14], units);
    this.#label('label-far', [rock[0] + (narrow ? 8 : 34), 112], units);
  }

  #label(id: string, [x, y]: Point, units: number): void {
    const { style } = byId(id, HTMLElement);
    style.left = `${((x / units) * 100).toFixed(2)}%`;
    style.top = `${((y / HEIGHT) * 100).toFixed(2)}%`;
  }
}

/** A few plants of other kinds on the ground. */
function weeds(units: number): string {
  return [0.04, 0.065, 0.38, 0.4, 0.62, 0.95, 0.97]
    .map((part, index) => `M${(part * units).toFixed(0)} 196c-10-24 10-36 0-${index % 2 === 0 ? 66 : 42}`)
    .join('');
}
