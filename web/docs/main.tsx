import { render } from 'preact';
import './docs.css';

render(<p>Parley</p>, document.getElementById('docs')!);
