from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'chefmate_policy'
MANIFEST = Path('models/manifest.yaml')
if not MANIFEST.is_file():  # it would be installed without, in silence
    raise SystemExit(
        f"{PACKAGE}: no {MANIFEST}. models is a symbolic link to the repository's top level: "
        f'check the repository out with symbolic links'
    )

setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
        (f'share/{PACKAGE}/models', [str(MANIFEST)]),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},  # tells colcon to run pytest
    zip_safe=True,
    maintainer='ChefMate maintainers',
    maintainer_email='maintainers@chefmate.dev',
    description='GPU policies for ChefMate: GR00T N1.5 model, engine, servers, training.',
    license='MIT',
    entry_points={
        'chefmate.commands': [
            'models = chefmate_policy.cli.commands:MODELS',
            'serve = chefmate_policy.cli.commands:SERVE',
        ],
        'chefmate.benches': ['policy = chefmate_policy.bench.entry:POLICY'],
        'chefmate.policies': ['groot = chefmate_policy.groot:make_policy'],
    },
)
