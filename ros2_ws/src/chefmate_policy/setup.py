from setuptools import find_packages, setup

PACKAGE = 'chefmate_policy'

setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
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
            'serve = chefmate_policy.cli.commands:SERVE',
        ],
        'chefmate.policies': ['groot = chefmate_policy.groot:make_policy'],
    },
)
