// The story in a page; what came of it stands in the page.
import { createClient } from '@holdfast/client';
import { story } from './story.mjs';

const show = (result) => {
  document.querySelector('#result').textContent = JSON.stringify(result);
};

/** The policy of the page is in force: otherwise the test would prove nothing. */
function isEvalForbidden() {
  try {
    return new Function('return false')();
  } catch {
    return true;
  }
}

story(createClient, location.origin).then(
  (result) => show({ ...result, isEvalForbidden: isEvalForbidden() }),
  (error) => show({ failed: String(error) }),
);
