const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const place = (id) => document.getElementById(id);

let last;
let heard = 0;
let wrong = 0;
worker.onmessage = ({ data: { status, code, number } }) => {
  if (status) place('status').textContent = code ? `${status}: ${code}` : status;
  if (number === undefined) return;
  if (last !== undefined && number !== last + 1) wrong += 1;
  last = number;
  heard += 1;
  place('last').textContent = last;
  place('heard').textContent = heard;
  place('wrong').textContent = wrong;
};

place('busy').onclick = () => {
  for (const until = Date.now() + 3_000; Date.now() < until; );
};
